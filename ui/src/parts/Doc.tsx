import { lazy, type ReactNode, Suspense } from "react";
import { files } from "@/app/lazyPage.ts";

const Markdown = lazy(() => files(import("./Markdown.tsx")));

/** Markdown of a DAG's author, in a file of its own: most pages have none. `waiting`: what is shown until it is there. */
export function Doc({ text, waiting = null }: { text: string; waiting?: ReactNode }) {
  return (
    <Suspense fallback={waiting}>
      <Markdown text={text} />
    </Suspense>
  );
}
