import type { Run } from "@/api/types.ts";
import { nameOf } from "./assets.ts";

const NAMES_MAX = 3;

/** What a run is for: its partition, the assets that started it, or what a callback is called for; "" for others. */
export function aboutOf({
  trigger,
  partition,
  assets,
  note,
}: Pick<Run, "trigger" | "partition" | "assets" | "note">): string {
  if (trigger === "callback" && note) return note;
  const names = (assets ?? []).map(nameOf);
  const more = names.length - NAMES_MAX;
  const shown = `${names.slice(0, NAMES_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  if (!partition) return shown;
  return names.length > 0 ? `${partition} of ${shown}` : partition;
}
