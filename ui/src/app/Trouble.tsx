import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { buttonClass } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";

/** What a page shows when it could not be made at all. The frame around it stays. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  return (
    <ErrorState
      error={error}
      what="This page"
      retry={() => {
        reset();
        router.invalidate();
      }}
      stillWorks="Runs go on without this page: headway ls shows them in a terminal."
    />
  );
}

export function NotFound() {
  return (
    <EmptyState
      title="There is no such page"
      action={
        <Link to="/" className={buttonClass({ look: "primary" })}>
          Home
        </Link>
      }
    >
      <p>The address leads nowhere. Press / to search for a DAG, a run or a task.</p>
    </EmptyState>
  );
}
