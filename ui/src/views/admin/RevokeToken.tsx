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
      say("done", `Token ${token.name} revoked`);
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
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button look="danger" disabled={revoke.isPending} onClick={() => revoke.mutate()}>
                Revoke token
              </Button>
            </>
          }
        >
          <p>
            Programs that use this token will be refused at once. It belongs to {token.user}, with
            the role {token.role}. You cannot undo this.
          </p>
          <InlineError error={revoke.error} />
        </Dialog>
      )}
    </>
  );
}
