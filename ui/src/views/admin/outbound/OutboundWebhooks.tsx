import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { outboundWebhooks } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { OutboundWebhook } from "@/api/types.ts";
import { MenuItem } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { say } from "@/state/toasts.ts";
import { type Direction, HookList, type Ways } from "../hooks/HookList.tsx";
import { OutboundDeliveries } from "./OutboundDeliveries.tsx";
import { OutboundForm } from "./OutboundForm.tsx";

const OUTBOUND: Direction = {
  word: "outbound webhook",
  title: "Outbound webhooks",
  noun: "outbound-webhooks",
  about:
    "When a run ends or a partition is overdue, Headway sends a signed request to a URL. One that fails is sent again for 12 hours.",
  command: "headway webhook outbound create NAME URL",
  none: "Another scheduler or system hears how runs ended, and can go on.",
  secret: "The receiver checks each request with it.",
  deletes: "What waits is not sent, and the list of deliveries is deleted.",
  remove: (name) => request("delete", "/outbound-webhooks/{name}", { path: { name } }),
  disable: (name, disabled) =>
    request("patch", "/outbound-webhooks/{name}", { path: { name }, body: { disabled } }),
};

const COLUMNS: readonly Column<OutboundWebhook>[] = [
  {
    key: "url",
    head: "URL",
    width: "minmax(120px, 1.4fr)",
    secondary: true,
    cell: ({ url }) => <span title={url}>{url}</span>,
  },
  {
    key: "dags",
    head: "DAGs",
    width: "minmax(72px, 1fr)",
    secondary: true,
    cell: ({ dags }) => <span title={dags.join(", ")}>{dags.join(", ")}</span>,
  },
  {
    key: "told",
    head: "Told of",
    width: "minmax(96px, 1fr)",
    secondary: true,
    cell: (hook) => <span title={toldOf(hook)}>{toldOf(hook)}</span>,
  },
  {
    key: "state",
    head: "State",
    width: "minmax(96px, 3fr)",
    wraps: true,
    cell: (hook) => <span>{stateOf(hook)}</span>,
  },
];

const EDIT: [string, (hook: OutboundWebhook, ways: Ways) => ReactNode] = [
  "Edit…",
  (hook, ways) => <OutboundForm stored={hook} {...ways} />,
];

/** URLs to which the ends of runs and overdue partitions are told. */
export function OutboundWebhooks() {
  const { mutate: ping } = usePing();
  return (
    <HookList
      direction={OUTBOUND}
      found={useInfiniteQuery(outboundWebhooks())}
      columns={COLUMNS}
      create={(ways) => <OutboundForm {...ways} />}
      change={EDIT}
      deliveries={({ name }, close) => <OutboundDeliveries hook={name} close={close} />}
      items={({ name, disabled_at }) =>
        !disabled_at && <MenuItem onSelect={() => ping(name)}>Send a ping</MenuItem>
      }
    />
  );
}

function usePing() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (name: string) =>
      request("post", "/outbound-webhooks/{name}/ping", {
        path: { name },
        idempotencyKey: crypto.randomUUID(),
      }),
    onSuccess: (_, name) => {
      queries.invalidateQueries({ queryKey: ["outbound-webhooks"] });
      say("done", `Sent a ping to ${name}: its deliveries show what came of it`);
    },
    onError: (error) => say("failed", error.message),
  });
}

/** What is told: the states of runs that end, and partitions. */
function toldOf({ events, states }: OutboundWebhook): string {
  const ends = events.includes("run.ended") ? states : [];
  const overdue = events.includes("partition.overdue") ? ["overdue partitions"] : [];
  return [...ends, ...overdue].join(", ");
}

function stateOf({ disabled_at, trouble }: OutboundWebhook): string {
  if (disabled_at) return "disabled";
  return trouble ? `fails: ${trouble}` : "enabled";
}
