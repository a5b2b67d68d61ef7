import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { outboundWebhooks } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { NewOutboundWebhook, OutboundWebhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { MenuItem } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { say } from "@/state/toasts.ts";
import { DeleteSecret } from "../DeleteSecret.tsx";
import { ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { Secret } from "../Secret.tsx";
import { OutboundDeliveries } from "./OutboundDeliveries.tsx";
import { OutboundForm } from "./OutboundForm.tsx";

type What = "deliveries" | "delete";

/** URLs to which the ends of runs are told. */
export function OutboundWebhooks() {
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewOutboundWebhook | null>(null);
  const [open, setOpen] = useState<{ what: What; name: string } | null>(null);
  const { mutate: change } = useSwitch();
  const { mutate: ping } = usePing();
  const columns = useMemo(
    () => columnsOf((what, name) => setOpen({ what, name }), change, ping),
    [change, ping],
  );
  const close = () => setOpen(null);
  const name = open?.name ?? "";
  return (
    <ListPage
      about="When a run ends, Headway sends a signed request to a URL. One that fails is sent again for 12 hours."
      add={
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden />
          New outbound webhook
        </Button>
      }
      found={useInfiniteQuery(outboundWebhooks())}
      what="Outbound webhooks"
      columns={columns}
      id={(hook) => hook.name}
      empty={{
        title: "No outbound webhooks yet",
        command: "headway webhook outbound create NAME URL",
        children: <p>Another scheduler or system hears how runs ended, and can go on.</p>,
      }}
    >
      {making && <OutboundForm close={() => setMaking(false)} made={setMade} />}
      {made?.secret && (
        <Secret
          title={`Secret of ${made.name}`}
          text={made.secret}
          note="Copy it now: it is not shown again. The receiver checks each request with it."
          close={() => setMade(null)}
        />
      )}
      {open?.what === "deliveries" && <OutboundDeliveries hook={name} close={close} />}
      {open?.what === "delete" && (
        <DeleteSecret
          what="outbound webhook"
          name={name}
          noun="outbound-webhooks"
          remove={() => request("delete", "/outbound-webhooks/{name}", { path: { name } })}
          close={close}
        >
          <p>
            What waits is not sent, and the list of deliveries is deleted. You cannot undo this.
          </p>
        </DeleteSecret>
      )}
    </ListPage>
  );
}

function useSwitch() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, disabled_at }: OutboundWebhook) =>
      request("patch", "/outbound-webhooks/{name}", {
        path: { name },
        body: { disabled: disabled_at === null },
      }),
    onSuccess: ({ name, disabled_at }) => {
      queries.invalidateQueries({ queryKey: ["outbound-webhooks"] });
      say("done", `${disabled_at ? "Disabled" : "Enabled"} the outbound webhook ${name}`);
    },
    onError: (error) => say("failed", error.message),
  });
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

function columnsOf(
  open: (what: What, name: string) => void,
  change: (hook: OutboundWebhook) => void,
  ping: (name: string) => void,
): readonly Column<OutboundWebhook>[] {
  return [
    {
      key: "name",
      head: "Name",
      width: "minmax(80px, 1fr)",
      cell: ({ name }) => <span title={name}>{name}</span>,
    },
    {
      key: "url",
      head: "URL",
      width: "minmax(140px, 2fr)",
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
      key: "state",
      head: "State",
      width: "minmax(96px, 1.6fr)",
      wraps: true,
      cell: (hook) => <span>{stateOf(hook)}</span>,
    },
    menuColumn((hook) => (
      <RowMenu name={hook.name}>
        <MenuItem onSelect={() => open("deliveries", hook.name)}>Deliveries…</MenuItem>
        {!hook.disabled_at && <MenuItem onSelect={() => ping(hook.name)}>Send a ping</MenuItem>}
        <MenuItem onSelect={() => change(hook)}>{hook.disabled_at ? "Enable" : "Disable"}</MenuItem>
        <MenuItem danger onSelect={() => open("delete", hook.name)}>
          Delete…
        </MenuItem>
      </RowMenu>
    )),
  ];
}

function stateOf({ disabled_at, trouble }: OutboundWebhook): string {
  if (disabled_at) return "disabled";
  return trouble ? `fails: ${trouble}` : "enabled";
}
