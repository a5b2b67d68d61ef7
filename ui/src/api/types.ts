import type { components } from "./schema.ts";

/**
 * What the API says, by its own names: from its OpenAPI document where that says it, and written
 * here where the document leaves open what is inside. Times are RFC 3339 in UTC, durations seconds.
 */
type Said = components["schemas"];

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}

export type Session = Said["Session"];
export type Role = Session["role"];
export type RunBrief = Said["RunBrief"];
export type ImportError = Said["ImportError"];
export type Run = Said["Run"];
export type Pool = Said["Pool"];
export type Component = Said["Component"];
export type FailedRun = Said["FailedRun"];
export type Hour = Said["Hour"];
export type Health = Said["Health"];
export type Overview = Said["Home"];
export type Backfill = Said["Backfill"];
export type BackfillAnswer = Said["BackfillAnswer"];
export type ReplayPreview = Said["ReplayPreview"];
export type TriggerPreview = Said["TriggerPreview"];
export type Slots = Said["Slots"];
export type PoolSlots = Said["PoolSlots"];
export type Durations = Said["Durations"];
export type DagDuration = Said["DagDuration"];
export type TaskDuration = Said["TaskDuration"];
export type DurationDay = Said["DurationDay"];
export type Version = Said["VersionSummary"];
export type VersionDiff = Said["VersionDiff"];
export type Source = Said["Source"];
export type Event = Said["Event"];
export type RenderedField = Said["RenderedField"];
export type RenderedFields = Said["RenderedFields"];
export type SearchAnswer = Said["Found"];
export type User = Said["User"];
export type Token = Said["Token"];
export type NewToken = Said["NewToken"];
export type LoginLink = Said["LoginLink"];
export type LogRetention = Said["LogRetention"];
export type LogRetentionRequest = Said["LogRetentionRequest"];
export type AuditEntry = Said["AuditEntry"];
export type AuditCheck = Said["AuditCheck"];

export type DagSummary = Said["DagSummary"];
export type DagDetail = Omit<Said["DagDetail"], "spec"> & { spec: DagSpec };

export type ParamType = "string" | "integer" | "number" | "boolean" | "array" | "object" | "any";

export interface Param {
  name: string;
  type?: ParamType;
  format?: "" | "date" | "date-time";
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
  schedule?: Record<string, unknown> | null;
  catchup?: boolean;
  max_active_runs?: number;
  params?: Param[];
  tags?: string[];
  owner?: string;
  description?: string;
  doc?: string;
}
