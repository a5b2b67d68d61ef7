import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";

/** The button that revokes what lets somebody in, after a word about what that means. */
export function Revoke({
  what,
  name,
  noun,
  revoke,
  children,
}: {
  what: string;
  name: string;
  /** The query that lists them. */
  noun: string;
  revoke: () => Promise<unknown>;
  children: ReactNode;
}) {
  const [asking, setAsking] = useState(false);
  const queries = useQueryClient();
  const revocation = useMutation({
    mutationFn: revoke,
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: [noun] });
      say("done", `Revoked ${name}`);
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
          title={`Revoke ${name}?`}
          close={() => setAsking(false)}
          foot={
            <>
              <Button onClick={() => setAsking(false)}>Cancel</Button>
              <Button
                look="danger"
                disabled={revocation.isPending}
                onClick={() => revocation.mutate()}
              >
                Revoke {what}
              </Button>
            </>
          }
        >
          <p>{children}</p>
          <InlineError error={revocation.error} />
        </Dialog>
      )}
    </>
  );
}
