/** The pages of the interface: which are shown in pictures, and looked at by axe. */
import type { Page } from "playwright-core";
import type { Ids } from "./gallery.ts";

/** A page to look at, and what is done on it first. */
export interface Shot {
  name: string;
  path: string | ((ids: Ids) => string);
  /** By what one sees that it is the page that is meant. */
  shows: RegExp;
  act?: (page: Page) => Promise<unknown>;
  /** Who looks: an admin, if nothing is said. */
  who?: "viewer" | "stranger";
  /** What is wrong with the server meanwhile. */
  trouble?: (page: Page) => Promise<unknown>;
  /** Something is refused, of which browsers complain. */
  isRefused?: boolean;
}

type Line = [path: string, shows: RegExp];

const TEAM = "/t/default";
const LISTS: readonly Line[] = [
  ["overview", /DAGs? (is|are) failing/],
  ["dags", /hourly_warehouse/],
  ["runs", /orders/],
  ["logs", /Enter part of an error/],
  ["slots", /of 128/],
  ["timeline", /hourly_warehouse/],
  ["backfills", /of 20/],
  ["events", /succeeded/],
  ["import-errors", /shedule/],
  ["dependencies", /turnover/],
  ["assets", /feeds\/rates/],
  ["questions", /How much traffic/],
  ["admin/users", /carol/],
  ["admin/roles", /triage/],
  ["admin/connections", /warehouse/],
  ["admin/variables", /raw-data/],
  ["admin/webhooks", /github/],
  ["admin/outbound", /planner/],
  ["admin/teams", /Marketing and sales/],
  ["admin/tokens", /laptop/],
  ["admin/links", /Anyone who has a link/],
  ["admin/you", /run\.trigger/],
  ["admin/grants", /marketing/],
  ["admin/logs", /After a run ends/],
  ["admin/audit", /none altered/],
];

const EMPTY: readonly Line[] = [
  ["overview", /No DAGs yet/],
  ["dags", /No DAGs yet/],
  ["runs", /No runs yet/],
  ["logs", /Enter part of an error/],
  ["slots", /No tasks are waiting/],
  ["timeline", /No runs in this period/],
  ["backfills", /No backfills yet/],
  ["events", /No events/],
  ["import-errors", /No file is broken|All files/],
  ["dependencies", /No DAG waits for another/],
  ["assets", /No assets yet/],
  ["questions", /No open questions/],
  ["admin/connections", /No connections yet/],
  ["admin/variables", /No variables yet/],
  ["admin/webhooks", /No webhooks yet/],
  ["admin/outbound", /No outbound webhooks yet/],
  ["admin/tokens", /No tokens yet/],
  ["admin/links", /No run links yet/],
  ["admin/grants", /No grants yet/],
];

const named = (prefix: string, lines: readonly Line[]): Shot[] =>
  lines.map(([path, shows]) => ({
    name: prefix + path.replace("/", "-"),
    path: `${TEAM}/${path}`,
    shows,
  }));

/** What a server shows that was just started. */
export const NEW: readonly Shot[] = [
  ...named("empty-", EMPTY),
  { name: "login", path: "/login", shows: /Sign in/, who: "stranger" },
  {
    name: "login-expired",
    path: "/login#no-such-link",
    shows: /already used or has expired/,
    isRefused: true,
    who: "stranger",
  },
  {
    name: "login-returned",
    path: "/login/company?error=access_denied",
    shows: /did not sign you in/,
    who: "stranger",
  },
];

const VIEWS: readonly Line[] = [
  ["grid", /publish/],
  ["graph", /13 tasks/],
  ["gantt", /waited for the process/],
  ["durations", /95th percentile/],
  ["calendar", /Next runs/],
  ["code", /Many small tasks/],
  ["versions", /Version 1/],
  ["runs", /success/],
];

const ofRun =
  (which: keyof Ids, rest = "") =>
  (ids: Ids) =>
    `${TEAM}/runs/${ids[which]}${rest}`;
const ofDag = (dag: string, which: keyof Ids, view: string) => (ids: Ids) =>
  `${TEAM}/dags/${dag}/${view.replace("RUN", ids[which])}`;

/** As of a run whose tasks ran in pods, of which two got another digest for their tag than the first. */
async function inPods(page: Page): Promise<void> {
  const [one, other] = [`sha256:${"1f".repeat(32)}`, `sha256:${"2e".repeat(32)}`];
  await page.route(/\/api\/v1\/runs\/\w+(\?.*)?$/, async (route) => {
    const response = await route.fetch();
    const images = { "acme/jobs:2": [one, other], "registry.example.org/tools/convert": [one] };
    await route.fulfill({ response, json: { ...(await response.json()), images } });
  });
}

/** Every page of a server on which there is something; what opens on them is in `opened.ts`. */
export const PAGES: readonly Shot[] = [
  ...named("", LISTS),
  ...VIEWS.map(([view, shows]) => ({
    name: `dag-${view}`,
    path: ofDag("hourly_warehouse", "good", view === "runs" ? view : `${view}?run=RUN`),
    shows,
  })),
  { name: "dag-airflow", path: `${TEAM}/dags/shelves/airflow`, shows: /Run in Airflow/ },
  {
    name: "dag-airflow-run",
    path: `${TEAM}/dags/shelves/airflow`,
    act: (page) =>
      page
        .getByRole("link", { name: /^scheduled__/ })
        .first()
        .click(),
    shows: /All runs in Airflow/,
  },
  { name: "dag-never-ran", path: `${TEAM}/dags/asked/grid`, shows: /No runs yet/ },
  {
    name: "dag-selected",
    path: ofDag("invoices", "failed", "grid?run=RUN&task=book&map=2"),
    shows: /All instances/,
  },
  {
    name: "dag-group",
    path: ofDag("shelves", "shelves", "grid?run=RUN&group=each"),
    shows: /Items of each|each\.count/,
  },
  { name: "dag-group-graph", path: ofDag("shelves", "shelves", "graph?run=RUN"), shows: /count/ },
  { name: "dag-loop", path: ofDag("refined", "refined", "grid?run=RUN"), shows: /good_enough/ },
  {
    name: "dag-loop-task",
    path: ofDag("refined", "refined", "gantt?run=RUN&task=refine.good_enough&map=1"),
    shows: /estimate 4/,
  },
  { name: "dag-calls", path: `${TEAM}/dags/watched.callbacks/grid`, shows: /watched/ },
  { name: "dag-changed", path: `${TEAM}/dags/sells/versions`, shows: /Version 2/ },
  { name: "dag-partitions", path: `${TEAM}/dags/daily_clicks/grid`, shows: /2026-10-01/ },
  { name: "dag-asked", path: `${TEAM}/dags/asked/run`, shows: /At least 1, at most 31/ },
  { name: "trigger", path: `${TEAM}/dags/orders/run`, shows: /Which shop/ },
  { name: "timeline-week", path: `${TEAM}/timeline?span=7d`, shows: /invoices/ },
  { name: "events-all", path: `${TEAM}/events?all=true&dag=invoices`, shows: /failed, retries/ },
  { name: "runs-filtered", path: `${TEAM}/runs?only=cancelled`, shows: /No runs match|No matches/ },
  { name: "run-failed", path: ofRun("failed"), shows: /12 invoices without a/ },
  { name: "run-good", path: ofRun("good"), shows: /Succeeded after/ },
  { name: "run-running", path: ofRun("busy"), shows: /Running for/ },
  { name: "run-asking", path: ofRun("asking"), shows: /How much traffic/ },
  { name: "run-ruled", path: ofRun("ruled"), shows: /1 other instance to be retried/ },
  {
    name: "run-ruled-task",
    path: ofRun("ruled", "?task=fetch&map=0"),
    shows: /the shop is closed/,
  },
  {
    name: "run-images",
    path: ofRun("good"),
    shows: /acme\/jobs:2/,
    trouble: inPods,
    act: (page) => page.getByText("acme/jobs:2").scrollIntoViewIfNeeded(),
  },
  { name: "run-stuck", path: ofRun("stuck"), shows: /pool `?gpu/ },
  { name: "run-loop", path: ofRun("refined"), shows: /Succeeded after/ },
  { name: "run-call", path: ofRun("called"), shows: /Succeeded after/ },
  { name: "run-instances", path: ofRun("failed", "?task=book&state=all"), shows: /All 4|All/ },
  { name: "run-instance", path: ofRun("failed", "?task=book&map=2"), shows: /All instances/ },
  { name: "run-waiting", path: ofRun("stuck", "?task=train"), shows: /gpu/ },
  { name: "run-question", path: ofRun("asking", "?task=amount"), shows: /Of all requests/ },
  {
    name: "run-diff",
    path: (ids) => `${TEAM}/runs/${ids.failed}/diff?with=${ids.earlier}`,
    shows: /What differs/,
  },
  { name: "run-log", path: ofRun("failed", "/log?task=book&map=2"), shows: /booking month 3/ },
  { name: "run-log-live", path: ofRun("busy", "/log?task=talk"), shows: /alert\(1\)/ },
  { name: "logs-found", path: `${TEAM}/logs?q=customer`, shows: /12 invoices without a/ },
  { name: "logs-nothing", path: `${TEAM}/logs?q=nobody prints this`, shows: /No matches for/ },
  {
    name: "logs-refused",
    path: `${TEAM}/logs?q=(&regex=true`,
    shows: /regular expression/,
    isRefused: true,
  },
  { name: "asset", path: `${TEAM}/assets/detail?asset=sales`, shows: /turnover/ },
  { name: "asset-partitions", path: `${TEAM}/assets/detail?asset=clicks`, shows: /2026-10-01T00/ },
  {
    name: "asset-watched",
    path: `${TEAM}/assets/detail?asset=parcels`,
    shows: /queue.example.org does not answer/,
  },
  { name: "shared", path: "/t/marketing/shared/default/orders", shows: /shown to marketing/ },
  { name: "shared-not", path: "/t/marketing/shared/default/sells", shows: /not shared/ },
  { name: "linked", path: (ids) => ids.runLink, shows: /without a/, who: "stranger" },
  {
    name: "linked-not",
    path: "/linked#hwl_no",
    shows: /not valid/,
    who: "stranger",
    isRefused: true,
  },
  { name: "question", path: (ids) => ids.questionLink, shows: /Of all req/, who: "stranger" },
  {
    name: "question-not",
    path: "/question#hwa_no",
    shows: /not valid/,
    who: "stranger",
    isRefused: true,
  },
  { name: "viewer-run", path: ofRun("failed"), shows: /12 invoices without a/, who: "viewer" },
  { name: "viewer-question", path: `${TEAM}/questions`, shows: /not answer it/, who: "viewer" },
  { name: "viewer-you", path: `${TEAM}/admin/you`, shows: /run\.trigger/, who: "viewer" },
];
