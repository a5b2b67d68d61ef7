import {
  CircleCheck,
  CircleSlash,
  Eraser,
  History,
  Link,
  MessageSquare,
  RotateCcw,
} from "lucide-react";
import { useState } from "react";
import type { Run } from "@/api/types.ts";
import { isFinal, stateWord } from "@/lib/states.ts";
import { useShortcuts } from "@/state/keyboard.ts";
import { useMay } from "@/state/session.ts";
import { ActionButton } from "./actions/ActionButton.tsx";
import { CancelDialog } from "./actions/CancelDialog.tsx";
import { ClearDialog } from "./actions/ClearDialog.tsx";
import { MarkRunDialog } from "./actions/MarkRunDialog.tsx";
import { NoteDialog } from "./actions/NoteDialog.tsx";
import { ReplayDialog } from "./actions/ReplayDialog.tsx";
import { RunLinkDialog } from "./actions/RunLinkDialog.tsx";

type Open = "retry" | "clear" | "mark" | "cancel" | "note" | "replay" | "link";

const ALL = { tasks: [], map_indexes: [], failed_only: false, downstream: true, upstream: false };

/** What can be done with a run; each says first exactly what it will do. */
export function RunActions({ run, small }: { run: Run; small?: boolean }) {
  const [open, setOpen] = useState<Open | null>(null);
  const close = () => setOpen(null);
  const mayClear = useMay("run.clear");
  const over = isFinal(run.state);
  const { failed = 0, upstream_failed = 0, cancelled = 0 } = run.counts;
  const bad = failed + upstream_failed + cancelled;
  useShortcuts([
    { keys: "r", does: "Retry failed tasks", run: () => mayClear && bad > 0 && setOpen("retry") },
    { keys: "c", does: "Clear", run: () => mayClear && setOpen("clear") },
  ]);
  return (
    <>
      <ActionButton
        needs="run.clear"
        small={small}
        look="primary"
        unless={bad === 0 && "Nothing failed"}
        onClick={() => setOpen("retry")}
      >
        <RotateCcw size={14} aria-hidden />
        Retry failed
      </ActionButton>
      <ActionButton needs="run.clear" small={small} onClick={() => setOpen("clear")}>
        <Eraser size={14} aria-hidden />
        Clear…
      </ActionButton>
      <ActionButton
        needs="run.mark"
        small={small}
        unless={over && bad === cancelled && `The run has finished: ${stateWord(run.state)}`}
        onClick={() => setOpen("mark")}
      >
        <CircleCheck size={14} aria-hidden />
        Mark…
      </ActionButton>
      <ActionButton
        needs="run.cancel"
        small={small}
        unless={over && `The run has finished: ${stateWord(run.state)}`}
        onClick={() => setOpen("cancel")}
      >
        <CircleSlash size={14} aria-hidden />
        Cancel…
      </ActionButton>
      <ActionButton needs="run.trigger" small={small} onClick={() => setOpen("replay")}>
        <History size={14} aria-hidden />
        Replay…
      </ActionButton>
      <ActionButton needs="run.note" small={small} onClick={() => setOpen("note")}>
        <MessageSquare size={14} aria-hidden />
        Note
      </ActionButton>
      <ActionButton needs="run.link" small={small} onClick={() => setOpen("link")}>
        <Link size={14} aria-hidden />
        Link…
      </ActionButton>
      {open === "retry" && (
        <ClearDialog
          run={run.run_id}
          title="Retry failed tasks"
          wish={{ ...ALL, failed_only: true }}
          close={close}
        />
      )}
      {open === "clear" && (
        <ClearDialog run={run.run_id} title="Clear this run" wish={ALL} close={close} />
      )}
      {open === "mark" && <MarkRunDialog run={run.run_id} close={close} />}
      {open === "cancel" && <CancelDialog run={run} close={close} />}
      {open === "replay" && <ReplayDialog run={run.run_id} close={close} />}
      {open === "link" && <RunLinkDialog run={run.run_id} close={close} />}
      {open === "note" && <NoteDialog run={run} close={close} />}
    </>
  );
}
