import { useState } from "react";
import { request } from "@/api/request.ts";
import { useMay } from "@/state/session.ts";
import { LinkDialog } from "./LinkDialog.tsx";

/** A link by which somebody without an account reads this run. */
export function RunLinkDialog({ run, close }: { run: string; close: () => void }) {
  const [withLogs, setWithLogs] = useState(false);
  const mayShowLogs = useMay("log.read");
  return (
    <LinkDialog
      title="Link to this run"
      about="Anyone with the link can read this run without signing in, until the link expires."
      make={(hours) =>
        request("post", "/runs/{run_id}/links", {
          path: { run_id: run },
          body: { hours, with_logs: withLogs },
        })
      }
      close={close}
    >
      {mayShowLogs && (
        <label>
          <input
            type="checkbox"
            checked={withLogs}
            onChange={(event) => setWithLogs(event.target.checked)}
          />{" "}
          Also show the log around each error
        </label>
      )}
    </LinkDialog>
  );
}
