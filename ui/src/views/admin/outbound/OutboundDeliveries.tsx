import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { outboundDeliveries } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { OutboundDelivery } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { ErrorState, InlineError } from "@/parts/ErrorState.tsx";
import { RunLink } from "@/parts/links.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";

/** What is sent to a URL, the newest first, with what came of it; each can be sent again. */
export function OutboundDeliveries({ hook, close }: { hook: string; close: () => void }) {
  const found = useInfiniteQuery(outboundDeliveries(hook));
  const { mutate: send, error, isPending } = useRedelivery(hook);
  const columns = useMemo(() => columnsOf(send, isPending), [send, isPending]);
  return (
    <Dialog title={`Deliveries of ${hook}`} close={close} wide>
      <div className={styles.consequences}>
        {found.isPending ? (
          <SkeletonRows count={4} />
        ) : !found.data ? (
          <ErrorState error={found.error} what="The deliveries" retry={() => found.refetch()} />
        ) : found.data.length === 0 ? (
          <p className={styles.quiet}>Nothing was sent yet. The next run that ends appears here.</p>
        ) : (
          <Table
            natural
            label="Deliveries"
            columns={columns}
            items={found.data}
            id={({ number }) => String(number)}
          />
        )}
        <InlineError error={error} />
        {found.hasNextPage && (
          <div>
            <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
              Older deliveries
            </Button>
          </div>
        )}
      </div>
    </Dialog>
  );
}

function useRedelivery(hook: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (number: number) =>
      request("post", "/outbound-webhooks/{name}/deliveries/{number}/redeliver", {
        path: { name: hook, number },
        idempotencyKey: crypto.randomUUID(),
      }),
    onSuccess: ({ event_id }) => {
      queries.invalidateQueries({ queryKey: ["outbound-webhooks"] });
      say("done", `Sending ${event_id} again`);
    },
  });
}

function columnsOf(
  send: (number: number) => void,
  busy: boolean,
): readonly Column<OutboundDelivery>[] {
  return [
    {
      key: "at",
      head: "When",
      width: "84px",
      cell: ({ at }) => <RelativeTime at={at} />,
    },
    {
      key: "what",
      head: "What",
      width: "minmax(96px, 1fr)",
      wraps: true,
      cell: ({ dag_id, run_id, state }) => (
        <span>
          {run_id === null ? (
            "ping"
          ) : (
            <>
              {dag_id} {state} <RunLink run={run_id} />
            </>
          )}
        </span>
      ),
    },
    {
      key: "status",
      head: "Status",
      width: "minmax(110px, 1.6fr)",
      wraps: true,
      cell: ({ status, trouble, next_at, tries }) => (
        <span>
          {status.replace("_", " ")}
          {trouble && ` (${trouble})`}
          {next_at && tries > 0 && (
            <>
              , next try <RelativeTime at={next_at} />
            </>
          )}
        </span>
      ),
    },
    {
      key: "again",
      head: <span className="sr-only">Send again</span>,
      width: "112px",
      end: true,
      cell: ({ number }) => (
        <Button small disabled={busy} onClick={() => send(number)}>
          Send again
        </Button>
      ),
    },
  ];
}
