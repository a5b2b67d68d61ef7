import { RefreshCw } from "lucide-react";
import { reach } from "@/api/reach.ts";
import { exact } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { useAway, useReadAgain } from "@/state/reach.ts";
import styles from "./Away.module.css";

/** Over the page while the server cannot be reached: what is shown stays, and since when it is not fresh. */
export function Away() {
  const since = useAway();
  useReadAgain();
  return (
    <div className={styles.place} role="status">
      {since !== null && (
        <div className={styles.away}>
          <RefreshCw size={14} aria-hidden />
          <span>
            <b>Server unreachable, retrying.</b> This page shows what was known at{" "}
            {exact(new Date(since).toISOString(), since)}.
          </span>
          <Button small onClick={() => void reach.probe()}>
            Try now
          </Button>
        </div>
      )}
    </div>
  );
}
