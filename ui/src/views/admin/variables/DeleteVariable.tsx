import { request } from "@/api/request.ts";
import type { Variable } from "@/api/types.ts";
import { DeleteSecret } from "../DeleteSecret.tsx";

export function DeleteVariable({
  variable: { key, is_secret, dags },
  close,
}: {
  variable: Variable;
  close: () => void;
}) {
  return (
    <DeleteSecret
      what="variable"
      name={key}
      noun="variables"
      remove={() => request("delete", "/variables/{key}", { path: { key } })}
      close={close}
    >
      <p>
        Tasks that ask for <code>{key}</code> without a default will fail at once
        {dags === null ? ", in every DAG of the team" : `, in ${dags.join(", ")}`}.
      </p>
      <p>
        {is_secret
          ? "Nobody can read its value back, and you cannot undo this."
          : "You cannot undo this."}
      </p>
    </DeleteSecret>
  );
}
