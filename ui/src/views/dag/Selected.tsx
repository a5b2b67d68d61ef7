import { Link, useParams } from "@tanstack/react-router";
import type { Run } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { useSelection } from "@/state/selection.ts";
import { SelectionDrawer } from "../run/drawer/SelectionDrawer.tsx";
import styles from "./DagFrame.module.css";
import { useKnown } from "./useKnown.ts";

/** Beside the view: what is selected, when there is such a thing. */
export function Selected({ dag }: { dag: string }) {
  const { unknown } = useKnown(dag);
  return unknown ? null : <SelectionDrawer />;
}

/** Above the view: that the address names what there is not, and the way on. */
export function UnknownSelection({ dag }: { dag: string }) {
  const [selection, select] = useSelection();
  const { run, unknown } = useKnown(dag);
  if (!unknown) return null;
  return (
    <div className={styles.unknown} role="status">
      <p>{unknown === "run" ? <NoRun dag={dag} id={selection.run} run={run} /> : <NoTask />}</p>
      <Button small onClick={() => select(unknown === "run" ? {} : { run: selection.run })}>
        {unknown === "run" ? "Go to the newest run" : "Show the run"}
      </Button>
    </div>
  );
}

function NoRun({ dag, id, run }: { dag: string; id: string | undefined; run: Run | undefined }) {
  const { team } = useParams({ from: "/t/$team/dags/$dag" });
  if (!run)
    return (
      <>
        <b>Run not found:</b> {dag} has no run <code>{id}</code>. The link may be incomplete, or the
        run has been deleted.
      </>
    );
  return (
    <>
      <b>This run belongs to another DAG:</b> <code>{run.run_id}</code> is a run of{" "}
      <Link
        to="/t/$team/dags/$dag/grid"
        params={{ team, dag: run.dag_id }}
        search={{ run: run.run_id }}
      >
        {run.dag_id}
      </Link>
      .
    </>
  );
}

function NoTask() {
  const [selection] = useSelection();
  return (
    <>
      <b>Task not found:</b> this run has no task <code>{selection.task}</code>. Its version of the
      DAG may not contain it.
    </>
  );
}
