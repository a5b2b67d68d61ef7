import { useInfiniteQuery } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { webhooks } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { Webhook } from "@/api/types.ts";
import { CopyButton } from "@/parts/CopyText.tsx";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import type { Column } from "@/parts/Table.tsx";
import { type Direction, HookList, type Ways } from "../hooks/HookList.tsx";
import { RotateDialog } from "./RotateDialog.tsx";
import { WebhookDeliveries } from "./WebhookDeliveries.tsx";
import { WebhookForm } from "./WebhookForm.tsx";

const INBOUND: Direction = {
  word: "webhook",
  title: "Webhooks",
  noun: "webhooks",
  about:
    "Other systems send signed requests to a webhook. Each reports an event of an asset, or starts a run.",
  command: "headway webhook create NAME --asset ASSET",
  none: "A webhook has an address and a secret, with which the sender signs each request.",
  secret: "The sender signs each request with it.",
  deletes: "Its address stops working at once, and the list of what came to it is deleted.",
  remove: (name) => request("delete", "/webhooks/{name}", { path: { name } }),
  disable: (name, disabled) =>
    request("patch", "/webhooks/{name}", { path: { name }, body: { disabled } }),
};

const COLUMNS: readonly Column<Webhook>[] = [
  {
    key: "target",
    head: "Reports to",
    width: "minmax(100px, 1.4fr)",
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
    width: "minmax(76px, 84px)",
    cell: ({ disabled_at }) => (disabled_at ? "disabled" : "enabled"),
  },
];

const ROTATE: [string, (hook: Webhook, ways: Ways) => ReactNode] = [
  "New secret…",
  (hook, ways) => <RotateDialog hook={hook.name} {...ways} />,
];

/** Addresses at which other systems report events of assets, and start runs. */
export function Webhooks() {
  return (
    <HookList
      direction={INBOUND}
      found={useInfiniteQuery(webhooks())}
      columns={COLUMNS}
      create={(ways) => <WebhookForm {...ways} />}
      change={ROTATE}
      deliveries={(hook, close) => <WebhookDeliveries hook={hook} close={close} />}
    />
  );
}
