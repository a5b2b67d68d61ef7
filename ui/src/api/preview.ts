import type { MarkPreview, ReplayPreview, Run, TriggerPreview } from "./types.ts";

type Preview = MarkPreview | ReplayPreview | TriggerPreview;

// A request with `dry_run` of these routes gets a preview, one without it the run. The document knows both.

export function preview<P extends Preview>(answer: Run | P): P {
  if ("created_at" in answer) throw new TypeError("a run came where a preview was asked for");
  return answer;
}

export function made(answer: Run | Preview): Run {
  if ("created_at" in answer) return answer;
  throw new TypeError("a preview came where a run was asked for");
}
