import { Link, useMatches } from "@tanstack/react-router";

declare module "@tanstack/react-router" {
  interface StaticDataRouteOption {
    /** What the route adds to the breadcrumb: a word, or `$name` of a parameter. */
    crumb?: string;
  }
}

/** The way from the team's pages to this one; each step a link. */
export function Breadcrumb({ className }: { className: string }) {
  const steps = useMatches().flatMap((match) => {
    const crumb = match.staticData.crumb;
    if (!crumb) return [];
    const params = match.params as Record<string, string>;
    return [
      { word: crumb.startsWith("$") ? (params[crumb.slice(1)] ?? "") : crumb, to: match.pathname },
    ];
  });
  return (
    <nav aria-label="Breadcrumb" style={{ flex: 1, minWidth: 0 }}>
      <ol className={className}>
        {steps.map(({ word, to }, index) => (
          <li key={to}>
            {index < steps.length - 1 ? (
              <Link to={to} activeOptions={{ exact: true }}>
                {word}
              </Link>
            ) : (
              <span aria-current="page">{word}</span>
            )}
          </li>
        ))}
      </ol>
    </nav>
  );
}
