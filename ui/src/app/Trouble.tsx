import { type ErrorComponentProps, Link, useRouter } from "@tanstack/react-router";
import { useEffect, useEffectEvent, useState } from "react";
import { reach } from "@/api/reach.ts";
import { Problem } from "@/api/request.ts";
import { Button, buttonClass } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { useAway } from "@/state/reach.ts";
import { NotLoaded } from "./lazyPage.ts";

/** What a page shows when it could not be made at all. The frame around it stays. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  if (error instanceof NotLoaded) return <FilesMissing />;
  if (error instanceof Problem && error.status === 0)
    return (
      <Retrying
        back={() => {
          reset();
          router.invalidate();
        }}
      />
    );
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

/** The server is away, or was started again with another build: its pages are loaded anew, with their files. */
function FilesMissing() {
  const [stuck, setStuck] = useState(false);
  useEffect(() => {
    void reach.probe().then((answers) => {
      if (answers && !loadAnew()) setStuck(true);
    });
  }, []);
  if (!stuck) return <Retrying back={() => location.reload()} />;
  return (
    <EmptyState
      title="This page could not be loaded"
      action={
        <Button look="primary" onClick={() => location.reload()}>
          Load it again
        </Button>
      }
    >
      <p>The server answers, but not with the files of this page. Your runs are not affected.</p>
    </EmptyState>
  );
}

const ANEW = "headway.loaded-anew";
const ONCE_IN_MS = 30_000;

/** Not again and again, where it does not help; whether it was done. */
function loadAnew(): boolean {
  const last = Number(sessionStorage.getItem(ANEW));
  if (Date.now() - last < ONCE_IN_MS) return false;
  sessionStorage.setItem(ANEW, String(Date.now()));
  location.reload();
  return true;
}

/** The page comes by itself when the server is back. */
function Retrying({ back }: { back: () => void }) {
  const away = useAway();
  const [wasAway, setWasAway] = useState(away !== null);
  const retry = useEffectEvent(back);
  useEffect(() => {
    if (away !== null) setWasAway(true);
    else if (wasAway) retry();
  }, [away, wasAway]);
  return (
    <EmptyState title={away === null ? "Loading…" : "Server unreachable, retrying"}>
      {away !== null && (
        <p>This page appears as soon as the server answers. Your runs are not affected.</p>
      )}
    </EmptyState>
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
