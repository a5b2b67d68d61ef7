import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { dag as dagQuery } from "@/api/queries.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { TriggerForm } from "./TriggerForm.tsx";

/** Ask for a run: what the DAG wants to know, then exactly what would happen. */
export function Trigger() {
  const { dag } = useParams({ from: "/t/$team/dags/$dag/run" });
  const found = useQuery(dagQuery(dag));
  return (
    <PageBody>
      {found.data ? (
        <TriggerForm dag={found.data} />
      ) : found.isError ? (
        <ErrorState error={found.error} what="The form" retry={() => found.refetch()} />
      ) : (
        <SkeletonRows count={4} />
      )}
    </PageBody>
  );
}
