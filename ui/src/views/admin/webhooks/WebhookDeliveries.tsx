import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { webhookDeliveries } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { Webhook, WebhookDelivery } from "@/api/types.ts";
import { RunLink } from "@/parts/links.tsx";
import type { Column } from "@/parts/Table.tsx";
import { say } from "@/state/toasts.ts";
import { againColumn, Deliveries } from "../hooks/Deliveries.tsx";

interface Props {
  hook: Webhook;
  close: () => void;
}

/** What came to a webhook, the newest first; what was accepted or failed can be made again. */
export function WebhookDeliveries({ hook: { name: hook, kind }, close }: Props) {
  const { mutate: replay, error, isPending } = useReplay(hook);
  const columns = useMemo(() => columnsOf(kind, replay, isPending), [kind, replay, isPending]);
  return (
    <Deliveries
      title={`Deliveries to ${hook}`}
      found={useInfiniteQuery(webhookDeliveries(hook))}
      columns={columns}
      none="Nothing came yet. Give the sender the address and the secret; what it sends appears here, also when it is refused."
      error={error}
      close={close}
    />
  );
}

function useReplay(hook: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (number: number) =>
      request("post", "/webhooks/{name}/deliveries/{number}/replay", {
        path: { name: hook, number },
        idempotencyKey: crypto.randomUUID(),
      }),
    onSuccess: ({ made }) => {
      queries.invalidateQueries({ queryKey: ["webhooks"] });
      say("done", `Replayed: made ${made}`);
    },
  });
}

function columnsOf(
  kind: string,
  replay: (number: number) => void,
  busy: boolean,
): readonly Column<WebhookDelivery>[] {
  return [
    {
      key: "outcome",
      head: "Outcome",
      width: "minmax(76px, 2fr)",
      wraps: true,
      cell: ({ outcome, detail, made }) => (
        <span>
          {outcome}
          {made && ": made "}
          {made && (kind === "dag" ? <RunLink run={made} /> : `event ${made}`)}
          {detail && ` (${detail})`}
        </span>
      ),
    },
    {
      key: "from",
      head: "From",
      width: "110px",
      spare: true,
      cell: ({ address }) => <span>{address}</span>,
    },
    againColumn("Replay", replay, busy, ({ body }) => body !== null),
  ];
}
