import { useParams } from "@tanstack/react-router";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { RunTable } from "../runs/RunTable.tsx";

export function DagRuns() {
  const { dag } = useParams({ from: "/t/$team/dags/$dag/runs" });
  return (
    <RunTable
      filter={{ dag_id: dag }}
      ofOneDag
      empty={
        <EmptyState title="No runs yet" command={`headway run ${dag}`}>
          <p>Runs of this DAG will appear here, newest first.</p>
        </EmptyState>
      }
    />
  );
}
