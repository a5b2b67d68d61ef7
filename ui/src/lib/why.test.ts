import { expect, test } from "vitest";
import type { Reason } from "@/api/types.ts";
import { type Holds, holdsOf, retryRule, why } from "./why.ts";

const TASKS: Parameters<typeof why>[1] = [
  { task_id: "a", upstream: [], counts: { success: 1 } },
  { task_id: "b", upstream: [], counts: { success: 3, running: 1 } },
  { task_id: "bad", upstream: [], counts: { failed: 1 } },
  { task_id: "c", upstream: ["a", "b"], counts: { waiting: 1 } },
  { task_id: "d", upstream: ["a", "bad"], counts: { upstream_failed: 1 } },
];

const of = (more: Partial<Parameters<typeof why>[0]>): Parameters<typeof why>[0] => ({
  task_id: "c",
  state: "waiting",
  blocked_reason: null,
  reason: null,
  why: null,
  history: [],
  ...more,
});

type Said = { [K in Reason["kind"]]: [reason: Extract<Reason, { kind: K }>, holds: Holds] };
const slots: Holds = { kind: "slots" };
const components: Holds = { kind: "components" };
const dag: Holds = { kind: "dag" };
const at = (task_id: string): Holds => ({ kind: "task", task_id });

/** Every kind of the API's document: one that is missing, or has other facts, does not compile. */
const SAID: Said = {
  pool_shared: [{ kind: "pool_shared", pool: "db", used: 1, allotted: 1, slots: 3 }, slots],
  pool_not_shared: [{ kind: "pool_not_shared", pool: "db", team: "infra" }, slots],
  pool_turn: [{ kind: "pool_turn", pool: "db" }, slots],
  pool_full: [{ kind: "pool_full", pool: "db", used: 3, slots: 3 }, slots],
  pool_missing: [{ kind: "pool_missing", pool: "db" }, slots],
  pool_empty: [{ kind: "pool_empty", pool: "db" }, slots],
  team_slots: [{ kind: "team_slots", team: "ads", used: 3, slots: 3, borrowed: 1, lent: 0 }, slots],
  pool_too_small: [{ kind: "pool_too_small", pool: "db", needed: 4, slots: 2 }, slots],
  pool_resized: [{ kind: "pool_resized", pool: "db", slots: 2 }, slots],
  no_agent: [{ kind: "no_agent" }, components],
  agents_full: [{ kind: "agents_full", agents: ["one"] }, components],
  queue_unserved: [{ kind: "queue_unserved", queue: "gpu", executor: "" }, components],
  executor_unknown: [{ kind: "executor_unknown", executor: "moon", known: ["agents"] }, components],
  no_scheduler: [{ kind: "no_scheduler" }, components],
  not_seen: [{ kind: "not_seen" }, components],
  backfill_full: [{ kind: "backfill_full" }, { kind: "backfills" }],
  backfill_paused: [{ kind: "backfill_paused", by: "ann" }, { kind: "backfills" }],
  dag_paused: [{ kind: "dag_paused", by: "ann" }, dag],
  max_active_runs: [{ kind: "max_active_runs", running: 1, limit: 1, before: 0 }, dag],
  held_by_run: [
    {
      kind: "held_by_run",
      strategy: "sequential",
      run: "r1",
      date: "2026-01-01T05:00:00+00:00",
      state: "running",
    },
    dag,
  ],
  skipped_by_strategy: [
    {
      kind: "skipped_by_strategy",
      strategy: "last_only",
      run: "r1",
      date: "2026-01-01T05:00:00+00:00",
      state: "queued",
    },
    dag,
  ],
  awaits_date: [{ kind: "awaits_date", until: "2030-01-01T05:00:00+00:00" }, null],
  not_created: [{ kind: "not_created" }, dag],
  file_gone: [{ kind: "file_gone" }, dag],
  no_schedule: [{ kind: "no_schedule" }, dag],
  runs_once: [{ kind: "runs_once" }, dag],
  runs_continuously: [{ kind: "runs_continuously" }, dag],
  no_dates_left: [{ kind: "no_dates_left" }, dag],
  awaits_partitions: [
    {
      kind: "awaits_partitions",
      partition: "2026-01-31",
      missing: [["clicks", "2026-01-31T05"]],
      more: 0,
      needed: 1,
      pending: 1,
      since: "",
      late: false,
      limit: "",
      closed: [],
      refused: "",
      due: "",
    },
    dag,
  ],
  overdue_partition: [
    {
      kind: "overdue_partition",
      partition: "2026-01-31",
      due: "2026-02-01T02:00:00+00:00",
      arrived: false,
    },
    null,
  ],
  late_partition: [
    {
      kind: "late_partition",
      partition: "2026-01-31",
      asset: "clicks",
      arrived: "2026-01-31T05",
    },
    null,
  ],
  awaits_assets: [
    { kind: "awaits_assets", missing: ["orders"], since: "", closed: [], limit: "" },
    dag,
  ],
  end_date: [{ kind: "end_date" }, dag],
  rule_not_met: [
    {
      kind: "rule_not_met",
      rule: "all_success",
      total: 2,
      ends: { failed: 1, success: 1 },
      tasks: ["bad"],
      more: 0,
      state: "failed",
    },
    at("bad"),
  ],
  leaves_failed: [{ kind: "leaves_failed", tasks: ["bad"], more: 0 }, at("bad")],
  not_chosen: [{ kind: "not_chosen", branch: "a", chosen: ["keep"], tested: false }, at("a")],
  failed_fast: [{ kind: "failed_fast", task: "load" }, at("load")],
  source_not_successful: [
    { kind: "source_not_successful", task: "list", state: "skipped" },
    at("list"),
  ],
  setup_not_successful: [
    { kind: "setup_not_successful", task: "create", state: "failed" },
    at("create"),
  ],
  not_a_list: [{ kind: "not_a_list", task: "list" }, at("list")],
  max_active_tasks: [{ kind: "max_active_tasks", limit: 4 }, null],
  max_active_tis_per_dagrun: [{ kind: "max_active_tis_per_dagrun", limit: 4 }, null],
  max_active_tis_per_dag: [{ kind: "max_active_tis_per_dag", limit: 4, dag: "daily" }, null],
  awaits_iteration: [
    {
      kind: "awaits_iteration",
      iteration: 2,
      most: 10,
      gate: "b",
      until: "enough",
      awaits: ["a"],
      more: 0,
      decides: false,
    },
    at("a"),
  ],
  awaits_past: [
    { kind: "awaits_past", run: "r1", date: "2026-01-01T05:00:00+00:00", task: "load", state: "" },
    null,
  ],
  set_aside: [{ kind: "set_aside", error: "x", until: "", failures: 3 }, null],
  quota_full: [
    { kind: "quota_full", resource: "cpu", used: "4", hard: "4", asked: "", held_by: {} },
    null,
  ],
  pod_pending: [{ kind: "pod_pending", cause: "Unschedulable", message: "no nodes" }, null],
  pod_refused: [{ kind: "pod_refused", message: "x" }, null],
  warm_starting: [
    { kind: "warm_starting", pod: "headway-warm-1", since: "2026-01-01T00:00:00Z" },
    null,
  ],
  handed_over: [{ kind: "handed_over" }, null],
  rule_met: [{ kind: "rule_met", rule: "all_success", total: 0, ends: {} }, null],
  skipped_itself: [{ kind: "skipped_itself", message: "" }, null],
  mapped_over_nothing: [{ kind: "mapped_over_nothing" }, null],
  too_many_items: [{ kind: "too_many_items", items: 9, limit: 4 }, null],
  too_many_tasks: [{ kind: "too_many_tasks", tasks: 9, limit: 4 }, null],
  item_gone: [{ kind: "item_gone", items: 2 }, null],
  iteration_gone: [{ kind: "iteration_gone", iterations: 2 }, null],
  granted: [{ kind: "granted", pool: "db", agent: "one" }, null],
  started: [{ kind: "started" }, null],
  attempt_failed: [
    {
      kind: "attempt_failed",
      cause: "exception",
      detail: "x",
      failures: 0,
      retries: null,
      by: null,
    },
    null,
  ],
  given_up: [
    { kind: "given_up", cause: "exception", detail: "x", failures: 2, retries: 1, by: null },
    null,
  ],
  lost_too_often: [{ kind: "lost_too_often", cause: "lost", detail: "", losses: 3 }, null],
  retry_over: [{ kind: "retry_over" }, null],
  awaits_time: [{ kind: "awaits_time", until: "2026-01-01T00:00:00+00:00", looks: false }, null],
  awaits_trigger: [{ kind: "awaits_trigger", what: "file /data/x.csv" }, null],
  awaits_answer: [{ kind: "awaits_answer", subject: "Release?", assigned: [] }, null],
  answered: [{ kind: "answered", by: "user:ann", chosen: ["Approve"] }, null],
  answered_by_default: [{ kind: "answered_by_default", chosen: ["Reject"], limit_s: 60 }, null],
  rejected: [{ kind: "rejected", by: "user:ann", chosen: ["Reject"], timed_out: false }, null],
  awaits_asset: [
    { kind: "awaits_asset", asset: "orders", partition: "", since: "2026-01-01T00:00:00+00:00" },
    null,
  ],
  awaits_run: [
    { kind: "awaits_run", dag: "d", date: "2026-01-01", states: ["success"], task: "" },
    null,
  ],
  wait_over: [{ kind: "wait_over" }, null],
  wait_timed_out: [{ kind: "wait_timed_out", limit_s: 60 }, null],
  upstream_changed: [{ kind: "upstream_changed" }, null],
  code_changed: [
    {
      kind: "code_changed",
      by: "ann",
      version: 2,
      version_before: 1,
      bundle: "b",
      bundle_before: "a",
    },
    null,
  ],
  task_removed: [{ kind: "task_removed", task: "load" }, null],
  cleared: [{ kind: "cleared", by: "ann", live: false }, null],
  marked: [{ kind: "marked", by: "ann", live: false }, null],
  cancelled: [{ kind: "cancelled", by: "ann", live: false }, null],
  run_started: [{ kind: "run_started" }, null],
  run_timed_out: [{ kind: "run_timed_out", limit_s: 60 }, null],
  leaves_succeeded: [{ kind: "leaves_succeeded", aside: [] }, null],
  created: [{ kind: "created", trigger: "manual", note: null }, null],
  about: [{ kind: "about", what: "x.py" }, null],
  text: [{ kind: "text", text: "pool `db` is full" }, null],
};

test.each(Object.entries(SAID))("%s leads to what it is about", (_kind, [reason, holds]) => {
  expect(holdsOf(reason)).toEqual(holds);
  const told = why(of({ state: "ready", blocked_reason: "words", why: reason }), []);
  expect(told).toEqual({ text: "words", holds });
});

test("a kind that only a newer server knows leads nowhere", () => {
  expect(holdsOf(JSON.parse('{"kind": "the_moon"}'))).toBeNull();
});

test("who waits says for what", () => {
  expect(why(of({}), TASKS)).toEqual({ text: "Waiting for b (running)", holds: at("b") });
});

test("who waits in an iteration says for what of that iteration", () => {
  const told = { reason: "words", why: SAID.awaits_iteration[0] };
  expect(why(of(told), TASKS)).toEqual({ text: "words", holds: at("a") });
  const alone = { ...SAID.awaits_iteration[0], awaits: [] };
  expect(why(of({ reason: "words", why: alone }), TASKS)?.holds).toEqual(at("b"));
});

test("who waits for what is further up, which runs again, says so", () => {
  const tasks: Parameters<typeof why>[1] = [
    { task_id: "gate", upstream: [], counts: { running: 1 } },
    { task_id: "a", upstream: ["gate"], counts: { success: 1 } },
    { task_id: "c", upstream: ["a"], counts: { waiting: 1 } },
  ];
  const waits = of({ task_id: "c" });
  expect(why(waits, tasks)).toEqual({ text: "Waiting for gate (running)", holds: at("gate") });
});

test("what was skipped leads to the task that decided it, also where there are no facts", () => {
  const facts = of({ state: "skipped", reason: "not chosen", why: SAID.not_chosen[0] });
  expect(why(facts, TASKS)?.holds).toEqual(at("a"));
  const old = of({ task_id: "d", state: "upstream_failed", reason: "upstream failed" });
  expect(why(old, TASKS)).toEqual({ text: "upstream failed", holds: at("bad") });
});

test("what failed says its last error", () => {
  const history = [{ cause: "exception", detail: "ValueError: no date\ncaused by KeyError: x" }];
  expect(why(of({ state: "failed", history }), TASKS)?.text).toBe("ValueError: no date");
  const late = [{ cause: "timeout", detail: null }];
  expect(why(of({ state: "failed", history: late }), TASKS)?.text).toBe("timeout");
});

test("what went well needs no reason, unless a person gave it", () => {
  const well = { state: "success", reason: "words" } as const;
  expect(why(of({ ...well, why: SAID.started[0] }), TASKS)).toBeNull();
  expect(why(of({ ...well, why: SAID.marked[0] }), TASKS)?.text).toBe("words");
});

test("a rule that decided on a retry is told with what ended the attempt", () => {
  const by = { number: 2, on: "builtins.ValueError", exit_code: null, reason: "" };
  const ruled = {
    kind: "given_up",
    cause: "exception",
    detail: "x",
    failures: 1,
    retries: 0,
  } as const;
  const reason = "ValueError: no (retry rule 2 for ValueError allows no retry)";
  const history = [{ cause: "exception", detail: "ValueError: no" }];
  const failed = of({ state: "failed", reason, history, why: { ...ruled, by } });
  expect(why(failed, [])?.text).toBe(reason);
  expect(why({ ...failed, why: { ...ruled, by: null } }, [])?.text).toBe("ValueError: no");
});

test("of a retry it is known how many the rule allows", () => {
  const by = { number: 1, on: "builtins.OSError", exit_code: null, reason: "" };
  const facts = { cause: "exception", detail: "x", failures: 1, retries: 5 };
  expect(retryRule({ kind: "attempt_failed", ...facts, by })).toEqual({ by, retries: 5 });
  expect(retryRule({ kind: "attempt_failed", ...facts, by: null })).toBeNull();
  expect(retryRule({ kind: "retry_over" })).toBeNull();
});
