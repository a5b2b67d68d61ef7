import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { outboundDeliveries } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { OutboundDelivery } from "@/api/types.ts";
import { RunLink } from "@/parts/links.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { say } from "@/state/toasts.ts";
import { againColumn, Deliveries } from "../hooks/Deliveries.tsx";

/** What is sent to a URL, the newest first, with what came of it; each can be sent again. */
export function OutboundDeliveries({ hook, close }: { hook: string; close: () => void }) {
  const { mutate: send, error, isPending } = useRedelivery(hook);
  const columns = useMemo(() => columnsOf(send, isPending), [send, isPending]);
  return (
    <Deliveries
      title={`Deliveries of ${hook}`}
      found={useInfiniteQuery(outboundDeliveries(hook))}
      columns={columns}
      none="Nothing was sent yet. The next event that is told appears here."
      error={error}
      close={close}
    />
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
      key: "what",
      head: "What",
      width: "minmax(76px, 1fr)",
      wraps: true,
      cell: (delivery, isNarrow) => (
        <span>
          <What delivery={delivery} />
          {isNarrow && (
            <>
              : <Status delivery={delivery} />
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
      spare: true,
      cell: (delivery) => (
        <span>
          <Status delivery={delivery} />
        </span>
      ),
    },
    againColumn("Send again", send, busy),
  ];
}

function What({ delivery }: { delivery: OutboundDelivery }) {
  const { event, dag_id, partition, run_id, state } = delivery;
  if (event === "partition.overdue") return `${dag_id}: partition ${partition} is overdue`;
  if (run_id === null) return "ping";
  return (
    <>
      {dag_id} {state} <RunLink run={run_id} />
    </>
  );
}

function Status({ delivery: { status, trouble, next_at, tries } }: { delivery: OutboundDelivery }) {
  return (
    <>
      {status.replace("_", " ")}
      {trouble && ` (${trouble})`}
      {next_at && tries > 0 && (
        <>
          , next try <RelativeTime at={next_at} />
        </>
      )}
    </>
  );
}
