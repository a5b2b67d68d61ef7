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
      stillWorks="Your runs are not affected. To see them in a terminal, run headway ls."
    />
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
