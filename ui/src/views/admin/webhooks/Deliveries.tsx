import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { webhookDeliveries } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { Webhook, WebhookDelivery } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { ErrorState, InlineError } from "@/parts/ErrorState.tsx";
import { RunLink } from "@/parts/links.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { say } from "@/state/toasts.ts";
import styles from "../Admin.module.css";

interface Props {
  hook: Webhook;
  close: () => void;
}

/** What came to a webhook, the newest first; what was accepted or failed can be made again. */
export function Deliveries({ hook: { name: hook, kind }, close }: Props) {
  const found = useInfiniteQuery(webhookDeliveries(hook));
  const { mutate: replay, error, isPending } = useReplay(hook);
  const columns = useMemo(() => columnsOf(kind, replay, isPending), [kind, replay, isPending]);
  return (
    <Dialog title={`Deliveries to ${hook}`} close={close} wide>
      <div className={styles.consequences}>
        {found.isPending ? (
          <SkeletonRows count={4} />
        ) : !found.data ? (
          <ErrorState error={found.error} what="The deliveries" retry={() => found.refetch()} />
        ) : found.data.length === 0 ? (
          <p className={styles.quiet}>
            Nothing came yet. Give the sender the address and the secret; what it sends appears
            here, also when it is refused.
          </p>
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
      key: "at",
      head: "When",
      width: "84px",
      cell: ({ at }) => <RelativeTime at={at} />,
    },
    {
      key: "outcome",
      head: "Outcome",
      width: "minmax(120px, 2fr)",
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
      secondary: true,
      cell: ({ address }) => <span>{address}</span>,
    },
    {
      key: "replay",
      head: <span className="sr-only">Replay</span>,
      width: "104px",
      end: true,
      cell: ({ number, body }) =>
        body !== null && (
          <Button small disabled={busy} onClick={() => replay(number)}>
            Replay
          </Button>
        ),
    },
  ];
}
