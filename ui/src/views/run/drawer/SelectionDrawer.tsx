import { useQuery } from "@tanstack/react-query";
import { run as runQuery } from "@/api/queries.ts";
import type { Selection } from "@/lib/selection.ts";
import { useSelection } from "@/state/selection.ts";
import { useRunKeys } from "../useRunKeys.ts";
import { GroupDrawer } from "./GroupDrawer.tsx";
import { InstanceDrawer } from "./InstanceDrawer.tsx";
import { RunDrawer } from "./RunDrawer.tsx";

/** Beside every view of a DAG: the run, or the task of it, that the URL says is selected. */
export function SelectionDrawer() {
  const [selection, select] = useSelection();
  if (!selection.run) return null;
  return <OfRun run={selection.run} selection={selection} select={select} />;
}

function OfRun({
  run,
  selection,
  select,
}: {
  run: string;
  selection: Selection;
  select: (next: Selection) => void;
}) {
  // The URL may hold the beginning of an id; what changes comes under the whole of it.
  const id = useQuery(runQuery(run)).data?.run_id ?? run;
  const within = (next: Selection) => select({ run, ...next });
  useRunKeys(id, selection, within);
  if (selection.group)
    return <GroupDrawer run={id} group={selection.group} selection={selection} select={within} />;
  if (!selection.task && selection.details === "closed") return null;
  if (!selection.task)
    return <RunDrawer run={id} select={within} close={() => select({ run, details: "closed" })} />;
  return <InstanceDrawer run={id} task={selection.task} selection={selection} select={within} />;
}
