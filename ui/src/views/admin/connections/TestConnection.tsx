import { useQuery } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { StateIcon } from "@/parts/State.tsx";
import styles from "../Admin.module.css";

/** Tried by an agent of the team, as its tasks would: the answer may take half a minute. */
export function TestConnection({ id, close }: { id: string; close: () => void }) {
  const test = useQuery({
    queryKey: ["connection-test", id],
    queryFn: () => request("post", "/connections/{conn_id}/test", { path: { conn_id: id } }),
    staleTime: 0,
    gcTime: 0,
    retry: false,
    refetchOnWindowFocus: false,
    refetchOnReconnect: false,
  });
  return (
    <Dialog
      title={`Test of ${id}`}
      close={close}
      foot={
        <>
          <Button disabled={test.isFetching} onClick={() => test.refetch()}>
            Test again
          </Button>
          <Button look="primary" onClick={close}>
            Done
          </Button>
        </>
      }
    >
      <div className={styles.consequences} role="status">
        {test.isFetching ? (
          <p>An agent of the team tries the connection …</p>
        ) : (
          test.data && (
            <p className={styles.result}>
              <StateIcon state={test.data.ok ? "success" : "failed"} />
              <span>
                <strong>{test.data.ok ? "The connection works" : "The connection failed"}</strong>
                {`: ${test.data.message}.`}
              </span>
            </p>
          )
        )}
      </div>
      {!test.isFetching && <InlineError error={test.error} />}
    </Dialog>
  );
}
