import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { request } from "@/api/request.ts";
import type { Token } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";

export function RevokeToken({ token }: { token: Token }) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const revoke = useMutation({
    mutationFn: () => request("delete", "/tokens/{token_id}", { path: { token_id: token.id } }),
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["tokens"] });
      say("done", `${token.name} is refused from now on`);
      setAsking(false);
    },
  });
  return (
    <>
      <Button small onClick={() => setAsking(true)}>
        Revoke
      </Button>
      {asking && (
        <Dialog
          title={`Revoke ${token.name}?`}
          close={() => setAsking(false)}
          foot={
            <>
              <Button onClick={() => setAsking(false)}>Keep it</Button>
              <Button look="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
                Revoke
              </Button>
            </>
          }
        >
          <p>
            Whatever uses it is refused from then on. It belongs to {token.user}, as {token.role}.
            That cannot be undone.
          </p>
          <InlineError error={revoke.error} />
        </Dialog>
      )}
    </>
  );
}
