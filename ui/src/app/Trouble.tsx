import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { Problem } from "@/api/request.ts";
import { buttonClass } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";

/** What a page shows when it could not be made at all. The frame around it stays. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof Problem && error.status === 403) return <NotAllowed problem={error} />;
  return (
    <ErrorState
      error={error}
      what="This page"
      retry={() => {
        reset();
        router.invalidate();
      }}
      stillWorks="Your runs are not affected. To see them in a terminal, run headway ls."
    />
  );
}

/** Perhaps an old bookmark, of a team that one has left: there must be a way back. */
function NotAllowed({ problem }: { problem: Problem }) {
  return (
    <EmptyState
      title="You cannot see this page"
      action={
        <a href="/" className={buttonClass({ look: "primary" })}>
          Home
        </a>
      }
    >
      <p>
        The server answered: {problem.detail}
        {problem.hint && `; ${problem.hint}`}.
      </p>
    </EmptyState>
  );
}

export function NotFound() {
  return (
    <EmptyState
      title="Page not found"
      action={
        <Link to="/" className={buttonClass({ look: "primary" })}>
          Home
        </Link>
      }
    >
      <p>Check the address, or press / to search for a DAG, a run or a task.</p>
    </EmptyState>
  );
}
