import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { webhooks } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { NewWebhook, Webhook } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { CopyButton } from "@/parts/CopyText.tsx";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import { MenuItem } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { say } from "@/state/toasts.ts";
import { DeleteSecret } from "../DeleteSecret.tsx";
import { ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { Secret } from "../Secret.tsx";
import { Deliveries } from "./Deliveries.tsx";
import { RotateDialog } from "./RotateDialog.tsx";
import { WebhookForm } from "./WebhookForm.tsx";

type What = "deliveries" | "rotate" | "delete";

/** Addresses at which other systems report events of assets, and start runs. */
export function Webhooks() {
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<NewWebhook | null>(null);
  const [open, setOpen] = useState<{ what: What; hook: Webhook } | null>(null);
  const { mutate: change } = useSwitch();
  const columns = useMemo(
    () => columnsOf((what, hook) => setOpen({ what, hook }), change),
    [change],
  );
  const close = () => setOpen(null);
  const name = open?.hook.name ?? "";
  return (
    <ListPage
      about="Other systems send signed requests to a webhook. Each reports an event of an asset, or starts a run."
      add={
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden />
          New webhook
        </Button>
      }
      found={useInfiniteQuery(webhooks())}
      what="Webhooks"
      columns={columns}
      id={(hook) => hook.name}
      empty={{
        title: "No webhooks yet",
        command: "headway webhook create NAME --asset ASSET",
        children: (
          <p>A webhook has an address and a secret, with which the sender signs each request.</p>
        ),
      }}
    >
      {making && <WebhookForm close={() => setMaking(false)} made={setMade} />}
      {made && (
        <Secret
          title={`Secret of ${made.name}`}
          text={made.secret}
          note="Copy it now: it is not shown again. The sender signs each request with it."
          close={() => setMade(null)}
        />
      )}
      {open?.what === "deliveries" && <Deliveries hook={open.hook} close={close} />}
      {open?.what === "rotate" && <RotateDialog hook={name} close={close} made={setMade} />}
      {open?.what === "delete" && (
        <DeleteSecret
          what="webhook"
          name={name}
          noun="webhooks"
          remove={() => request("delete", "/webhooks/{name}", { path: { name } })}
          close={close}
        >
          <p>
            Its address stops working at once, and the list of what came to it is deleted. You
            cannot undo this.
          </p>
        </DeleteSecret>
      )}
    </ListPage>
  );
}

function useSwitch() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, disabled_at }: Webhook) =>
      request("patch", "/webhooks/{name}", {
        path: { name },
        body: { disabled: disabled_at === null },
      }),
    onSuccess: ({ name, disabled_at }) => {
      queries.invalidateQueries({ queryKey: ["webhooks"] });
      say("done", `${disabled_at ? "Disabled" : "Enabled"} the webhook ${name}`);
    },
    onError: (error) => say("failed", error.message),
  });
}

function columnsOf(
  open: (what: What, hook: Webhook) => void,
  change: (hook: Webhook) => void,
): readonly Column<Webhook>[] {
  return [
    {
      key: "name",
      head: "Name",
      width: "minmax(80px, 1fr)",
      cell: ({ name }) => <span title={name}>{name}</span>,
    },
    {
      key: "target",
      head: "Reports to",
      width: "minmax(120px, 1.4fr)",
      cell: ({ kind, target }) =>
        kind === "asset" ? <AssetLink asset={target} /> : <DagLink dag={target} />,
    },
    {
      key: "url",
      head: "Address",
      width: "minmax(140px, 2fr)",
      secondary: true,
      cell: ({ url }) => (
        <>
          <span title={url}>{url}</span>
          <CopyButton text={url} />
        </>
      ),
    },
    {
      key: "state",
      head: "State",
      width: "84px",
      cell: ({ disabled_at }) => (disabled_at ? "disabled" : "enabled"),
    },
    menuColumn((hook) => (
      <RowMenu name={hook.name}>
        <MenuItem onSelect={() => open("deliveries", hook)}>Deliveries…</MenuItem>
        <MenuItem onSelect={() => open("rotate", hook)}>New secret…</MenuItem>
        <MenuItem onSelect={() => change(hook)}>{hook.disabled_at ? "Enable" : "Disable"}</MenuItem>
        <MenuItem danger onSelect={() => open("delete", hook)}>
          Delete…
        </MenuItem>
      </RowMenu>
    )),
  ];
}
