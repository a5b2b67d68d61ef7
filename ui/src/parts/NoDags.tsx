import { useQuery } from "@tanstack/react-query";
import { health } from "@/api/queries.ts";
import { EmptyState } from "./EmptyState.tsx";

/** Where the first DAG is to be put: the server knows which folder it watches. */
export function NoDags() {
  const { data } = useQuery(health());
  return (
    <EmptyState title="No DAGs yet" command="headway up --dags FOLDER">
      <p>
        Save a DAG file in {data ? <code>{data.dags}</code> : "the folder that Headway watches"}. It
        appears here within two seconds.
      </p>
      <p>To watch another folder, start Headway with:</p>
    </EmptyState>
  );
}
