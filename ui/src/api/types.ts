/** What the API says, by its own names. Times are RFC 3339 in UTC, durations are seconds. */

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export interface Session {
  user: { name: string; display_name: string };
  team: string;
  role: Role;
  teams: { name: string; role: Role }[];
  expires_at: string | null;
  version: string;
}

export type Role = "viewer" | "operator" | "author" | "admin";

export interface Schedule {
  cron?: string | null;
  interval_s?: number | null;
  once?: boolean;
  timezone?: string;
}

export interface RunBrief {
  run_id: string;
  state: string;
  logical_date: string;
  started_at: string | null;
  ended_at: string | null;
  trigger: string;
}

export interface ImportError {
  file: string;
  line: number | null;
  message: string;
  at: string;
}

export interface DagSummary {
  dag_id: string;
  file: string;
  version: number;
  bundle_version: string;
  schedule: Schedule | null;
  tags: string[];
  paused_at: string | null;
  paused_by: string | null;
  missing_since: string | null;
  next_run_at: string | null;
  last_run_state: string | null;
  last_run_at: string | null;
  updated_at: string;
  description?: string;
  owner?: string;
  tasks?: number;
  running?: number;
  queued?: number;
  recent?: RunBrief[];
  import_error?: ImportError | null;
}

export type ParamType = "string" | "integer" | "number" | "boolean" | "array" | "object" | "any";

export interface Param {
  name: string;
  type?: ParamType;
  default?: unknown;
  required?: boolean;
  description?: string;
  enum?: unknown[];
}

export interface TaskSpec {
  task_id: string;
  kind?: string;
  upstream?: string[];
  trigger_rule?: string;
  retries?: number;
  pool?: string;
  owner?: string;
  doc?: string;
  line?: number;
  mapping?: unknown;
}

export interface DagSpec {
  dag_id: string;
  file: string;
  tasks: TaskSpec[];
  schedule?: Schedule | null;
  catchup?: boolean;
  max_active_runs?: number;
  params?: Param[];
  tags?: string[];
  owner?: string;
  description?: string;
  doc?: string;
}

export interface DagDetail extends DagSummary {
  spec: DagSpec;
  versions: { version: number; spec_hash: string; created_at: string }[];
}

export interface Run {
  run_id: string;
  dag_id: string;
  state: string;
  reason: string | null;
  trigger: string;
  logical_date: string;
  interval_start: string;
  interval_end: string;
  params: Record<string, unknown>;
  created_at: string;
  started_at: string | null;
  ended_at: string | null;
  version: number;
  bundle_version: string;
  counts: Record<string, number>;
  backfill_id?: string | null;
  created_by?: string;
  quarantined?: string | null;
  note?: string | null;
  duration_s?: number | null;
}

export interface Pool {
  name: string;
  slots: number;
  used: number;
  waiting: number;
}

export interface Component {
  name: string;
  healthy: boolean;
  detail: string;
  last_seen_at: string | null;
}

export interface FailedRun extends RunBrief {
  dag_id: string;
  headline: string;
  /** Failed runs of the DAG in the last 24 hours. */
  count: number;
}

export interface Hour {
  hour: string;
  success: number;
  failed: number;
  cancelled: number;
}

export interface Overview {
  now: string;
  dags: { total: number; paused: number; broken: number };
  runs: { running: number; queued: number; failed_24h: number; success_24h: number };
  failed: FailedRun[];
  waiting: {
    dag_id: string;
    run_id: string;
    task_id: string;
    map_index: number;
    since: string;
    reason: string | null;
  }[];
  late: { dag_id: string; expected_at: string; reason: string | null }[];
  slots: Pool[];
  next: { dag_id: string; fire_at: string }[];
  components: Component[];
  import_errors: ImportError[];
  activity: Hour[];
}

export interface PoolUse extends Pool {
  users: { dag_id: string; run_id: string; used: number }[];
  queue: { reason: string; count: number }[];
}

export interface Slots {
  pools: PoolUse[];
  runs_waiting: { dag_id: string; queued: number; reason: string | null }[];
}

export interface Backfill {
  backfill_id: string;
  dag_id: string;
  first: string;
  last: string;
  created_by: string;
  created_at: string;
  max_active_runs: number | null;
  counts: Record<string, number>;
  done: number;
  total: number;
  eta_s: number | null;
}

export interface BackfillAnswer {
  backfill_id: string | null;
  runs: { logical_date: string; run_id: string | null }[];
}

export interface Event {
  seq: number;
  at: string;
  subject: string;
  name: string;
  state: string | null;
  task_id: string | null;
  map_index: number | null;
  number: number | null;
  actor: string;
  reason: string | null;
  dag_id?: string | null;
  run_id?: string | null;
}

export interface SearchAnswer {
  dags: { dag_id: string }[];
  runs: { run_id: string; dag_id: string; state: string; logical_date: string }[];
  tasks: { dag_id: string; task_id: string }[];
}

export interface TriggerDryRun {
  params: Record<string, unknown>;
  tasks: number;
  would_wait: string | null;
  logical_date: string;
}

export interface User {
  name: string;
  display_name: string;
  role: Role;
  has_password: boolean;
  created_at: string;
  created_by: string;
  disabled_at: string | null;
}

export interface Token {
  id: string;
  name: string;
  user: string;
  role: Role;
  created_at: string;
  expires_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

export interface NewToken extends Token {
  token: string;
}

export interface LoginLink {
  url: string;
  user: string;
  expires_in_s: number;
}

export interface AuditEntry {
  seq: number;
  at: string;
  actor: string;
  via: string;
  action: string;
  subject: string;
  detail: Record<string, unknown>;
  address: string;
}

export interface AuditCheck {
  entries: number;
  intact: boolean;
  broken_at: number | null;
}
