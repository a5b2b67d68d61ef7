import { request } from "@/api/request.ts";
import type { Connection } from "@/api/types.ts";
import { DeleteSecret } from "../DeleteSecret.tsx";

export function DeleteConnection({
  connection: { conn_id, has_password, dags },
  close,
}: {
  connection: Connection;
  close: () => void;
}) {
  return (
    <DeleteSecret
      what="connection"
      name={conn_id}
      noun="connections"
      remove={() => request("delete", "/connections/{conn_id}", { path: { conn_id } })}
      close={close}
    >
      <p>
        Tasks that ask for <code>{conn_id}</code> will fail at once
        {dags === null ? ", in every DAG of the team" : `, in ${dags.join(", ")}`}.
      </p>
      <p>
        {has_password
          ? "Its password is deleted with it. Nobody can read it back, and you cannot undo this."
          : "You cannot undo this."}
      </p>
    </DeleteSecret>
  );
}
