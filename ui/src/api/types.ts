import type { components } from "./schema.ts";
import type { ROLES } from "./words.ts";

/**
 * What the API says, by short names for what its OpenAPI document calls it. Times are RFC 3339 in
 * UTC, durations seconds.
 */
type Said = components["schemas"];

export type AirflowRun = Said["AirflowRun"];
export type AirflowRunDetail = Said["AirflowRunDetail"];
export type AirflowTask = Said["AirflowTask"];
export type Asset = AssetDetail["asset"];
export type AssetDetail = Said["AssetDetail"];
export type AssetEvent = Said["AssetEvent"];
export type AssetPartition = Said["AssetPartition"];
export type Attempt = Said["Attempt"];
export type AuditEntry = Said["WordedEntry"];
export type Backfill = Said["Backfill"];
export type BackfillAnswer = Said["BackfillAnswer"];
export type BlockedDag = Said["BlockedDag"];
export type BrokenFile = Said["BrokenFile"];
export type Bar = Said["Bar"];
export type ClearRequest = Said["ClearRequest"];
export type CodeChange = Said["CodeChange"];
export type CodeChoice = Said["CodeChoice"];
export type Component = Said["Component"];
export type Connection = Said["Connection"];
export type ConnectionRequest = Said["ConnectionRequest"];
export type DagDetail = Said["DagDetail"];
export type DagDuration = Said["DagDuration"];
export type DagLinks = Said["DagLinks"];
export type DagSummary = Said["DagSummary"];
export type DagTotals = Said["DagTotals"];
export type Day = Said["Day"];
export type Diagnosis = Said["Diagnosis"];
export type DistinctError = Said["ErrorGroup"];
export type DurationDay = Said["DurationDay"];
export type Event = Said["Event"];
/** A line of one of many logs; of which DAG it is, is told where all are searched. */
export type FoundLine = Said["RunLogMatch"] &
  Pick<Said["FoundLogMatch"], "run_id"> &
  Partial<Said["FoundLogMatch"]>;
export type Grant = Said["Grant"];
export type Grid = Said["Grid"];
export type GridRun = Said["GridRun"];
export type GridTask = Said["GridTask"];
export type Hour = Said["Hour"];
export type InstanceKey = Said["InstanceKey"];
export type LogMatch = Said["LogMatch"];
export type RunRetention = Said["RunRetention"];
export type LogRetention = Said["LogRetention"];
export type LogRetentionRequest = Said["LogRetentionRequest"];
export type LoginLink = Said["LoginLink"];
export type MarkPreview = Said["MarkPreview"];
export type MarkRequest = Said["MarkRequest"];
export type NewTeam = Said["NewTeam"];
export type NewToken = Said["NewToken"];
export type Overview = Said["Home"];
export type Param = Said["Param"];
export type Question = Said["Question"];
export type LinkedQuestion = Said["LinkedQuestion"];
export type Pool = Said["Pool"];
export type PoolLoad = Said["PoolLoad"];
export type PoolSlots = Said["PoolSlots"];
/** Why something waits, was skipped, failed or was moved: a kind and its facts. */
export type Reason = NonNullable<Said["TaskInstance"]["why"]>;
export type RenderedField = Said["RenderedField"];
export type ReplayPreview = Said["ReplayPreview"];
export type Role = keyof typeof ROLES;
export type RunBrief = Said["RunBrief"];
export type Run = Said["Run"];
export type RunDiffs = Said["RunDiff"];
export type RunLink = Said["RunLink"];
export type RunTask = Said["RunTask"];
export type SearchAnswer = Said["Found"];
export type Segment = Said["Segment"];
export type Session = Said["Session"];
export type LinkedRun = Said["LinkedRun"];
export type SignInWay = Said["SignInWay"];
export type Slots = Said["Slots"];
export type Team = Said["Team"];
export type TeamRole = Said["TeamRoleDetail"];
export type TeamShare = Said["TeamShare"];
export type Source = Said["Source"];
export type StreamEvents = Said["StreamEvents"];
export type TaskDuration = Said["TaskDuration"];
export type TaskDifference = Said["TaskDifference"];
export type TaskInstance = Said["TaskInstance"];
export type StuckTasks = Said["StuckTasks"];
export type TaskInstanceDetail = Said["TaskInstanceDetail"];
export type Timeline = Said["Timeline"];
export type Token = Said["Token"];
export type TriggerPreview = Said["TriggerPreview"];
export type User = Said["User"];
export type Variable = Said["Variable"];
export type VariableRequest = Said["VariableRequest"];
export type NewWebhook = Said["NewWebhook"];
export type NewOutboundWebhook = Said["NewOutboundWebhook"];
export type OutboundDelivery = Said["OutboundDelivery"];
export type OutboundWebhook = Said["OutboundWebhook"];
export type Webhook = Said["Webhook"];
export type WebhookDelivery = Said["WebhookDelivery"];
export type XCom = Said["XCom"];

export interface Page<T> {
  items: T[];
  next_cursor: string | null;
}
export type Verb = Said["Verb"];
