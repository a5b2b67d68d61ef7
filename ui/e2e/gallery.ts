/** A server on which no page is empty: runs of every kind, questions, webhooks, people, and what goes wrong. */
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { ask, put, ran } from "./api.ts";
import { imported } from "./past.ts";
import type { Server } from "./server.ts";

const GALLERY = fileURLToPath(new URL("./gallery", import.meta.url));
const DAGS = [
  ...["asked", "follow", "hourly_warehouse", "invoices", "orders"],
  ...["shelves", "refined", "watched", "sells", "turnover", "daily_clicks", "rollout", "training"],
  ...["deliveries", "ratings"],
];
export const VIEWER = "carol";

/** What the addresses of its pages name. */
export interface Ids {
  failed: string;
  earlier: string;
  good: string;
  busy: string;
  shelves: string;
  refined: string;
  called: string;
  asking: string;
  stuck: string;
  ruled: string;
  runLink: string;
  questionLink: string;
}

interface Run {
  run_id: string;
}

/** The DAGs of the gallery beside those that every test has, and all that the pages show of them. */
export async function fill(server: Server): Promise<void> {
  cpSync(GALLERY, server.dags, { recursive: true });
  for (const dag of DAGS) await until(() => ask(server, `/dags/${dag}`));
  for (const dag of ["orders", "hourly_warehouse", "invoices"]) {
    for (let round = 0; round < 6; round += 1) await ran(server, dag);
  }
  for (const dag of ["shelves", "refined", "watched", "sells"]) await ran(server, dag);
  await changed(server);
  for (const dag of ["rollout", "training", "board_paper", "ratings"])
    await ask(server, `/dags/${dag}/runs`, {});
  await ask(server, "/dags/follow/runs", { params: { lines: 20_000 } });
  for (const hour of ["2026-10-01T00", "2026-10-01T01", "2026-10-02T05"])
    await ask(server, "/assets/events", { asset: "clicks", partition: hour });
  await imported(server, "shelves", 40);
  await put(server, "/pools/small", { slots: 2 });
  await secrets(server);
  await hooks(server);
  await people(server);
  await ask(server, "/dags/orders/backfills", { from: "2026-10-01", to: "2026-10-20" });
  await until(async () => {
    const { items } = await ask<{ items: unknown[] }>(server, "/questions");
    if (items.length < 3) throw new Error("not asked yet");
  });
}

/** A second version of a DAG, that says what differs. */
async function changed(server: Server): Promise<void> {
  const file = join(server.dags, "assets.py");
  const source = readFileSync(file, "utf8");
  writeFileSync(file, source.replace('@dag(owner="ann")', '@dag(owner="ann", tags=["shop"])'));
  await until(async () => {
    const { version } = await ask<{ version: number }>(server, "/dags/sells");
    if (version < 2) throw new Error("not loaded yet");
  });
  await ran(server, "sells");
}

async function secrets(server: Server): Promise<void> {
  await put(server, "/connections/warehouse", {
    conn_type: "postgres",
    host: "db.internal",
    port: 5432,
    schema: "sales",
    login: "etl",
    password: "secret",
  });
  await put(server, "/connections/lake", {
    conn_type: "aws",
    login: "AKIA1234",
    password: "secret",
    extra: { region_name: "eu-west-1" },
    dags: ["hourly_warehouse", "orders"],
  });
  await put(server, "/variables/bucket", { value: "raw-data" });
  await put(server, "/variables/smtp_password", { value: "secret" });
}

/** Webhooks of both directions, one of which is disabled, with what came and what was sent. */
async function hooks(server: Server): Promise<void> {
  const { url } = await ask<{ url: string }>(server, "/webhooks", { name: "erp", asset: "sales" });
  await ask(server, "/webhooks", { name: "github", dag_id: "orders", fields: { ref: "ref" } });
  await ask(server, "/webhooks/github", { disabled: true }, "PATCH");
  const headers = { "x-headway-signature": "t=1,v1=0" };
  await fetch(`${server.url}${new URL(url).pathname}`, { method: "POST", headers, body: "{}" });
  await ask(server, "/outbound-webhooks", {
    name: "planner",
    url: "http://127.0.0.1:9/events/of/the/scheduler",
    dags: ["orders", "sells_*"],
    states: ["failed", "cancelled"],
  });
  await ask(server, "/outbound-webhooks/planner/ping", {});
  await ask(server, "/outbound-webhooks", {
    name: "late_data",
    url: "https://planner.example/late",
    dags: ["daily_clicks"],
    events: ["partition.overdue"],
  });
}

/** Two teams, and what the pages of a team show of people, rights, limits and grants. */
async function people(server: Server): Promise<void> {
  await ask(server, "/teams", { name: "marketing", title: "Marketing and sales", slots: 2 });
  const limits = { open_runs: 1_000, requests_per_s: 50, log_bytes_per_minute: 50_000_000 };
  await ask(server, "/teams/default", { limits }, "PATCH");
  await ask(server, "/roles", {
    name: "triage",
    verbs: ["run.read", "run.clear", "log.read"],
    description: "Looks at what failed at night, and runs it again.",
  });
  for (const [name, role] of [
    ["ann", "admin"],
    ["bob.with-a-long-name@example.org", "triage"],
    [VIEWER, "viewer"],
  ]) {
    await ask(server, "/users", { name, role, display_name: `${name} of the night shift` });
  }
  await ask(server, "/service-accounts", { name: "ci", role: "operator" });
  await ask(server, "/tokens", { name: "laptop", role: "viewer" });
  for (const kind of ["see_runs", "start"])
    await ask(server, "/grants", { grantee: "marketing", name: "orders", kind, note: "report" });
  await ask(server, "/grants/requests", {
    owner: "marketing",
    name: "campaigns_of_the_whole_year",
    kind: "start",
  });
}

/** The newest runs of each kind, and a link to one of them and to a question. */
export async function idsOf(server: Server): Promise<Ids> {
  const newest = async (dag: string, filter = "") => {
    const { items } = await ask<{ items: Run[] }>(server, `/runs?limit=1&dag_id=${dag}${filter}`);
    return items[0]?.run_id ?? "";
  };
  const failed = await newest("invoices", "&state=failed");
  const { previous } = await ask<{ previous: Run }>(server, `/runs/${failed}/adjacent`);
  const asking = await newest("rollout");
  const link = async (path: string, body: object) =>
    new URL((await ask<{ url: string }>(server, path, body)).url);
  const address = ({ pathname, hash }: URL) => pathname + hash;
  return {
    failed,
    earlier: previous.run_id,
    good: await newest("hourly_warehouse", "&state=success"),
    busy: await newest("follow", "&state=running"),
    shelves: await newest("shelves"),
    refined: await newest("refined"),
    called: await newest("watched.callbacks"),
    asking,
    stuck: await newest("training"),
    ruled: await newest("ratings"),
    runLink: address(await link(`/runs/${failed}/links`, { hours: 24, with_logs: true })),
    questionLink: address(
      await link(`/runs/${asking}/task-instances/amount/answer-links`, {
        recipient: "ann@acme.example",
      }),
    ),
  };
}

/** Until it comes to an end without an error. */
async function until(done: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await done();
      return;
    } catch {
      await setTimeout(200);
    }
  }
}
