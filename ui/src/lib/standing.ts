import type { RunBrief } from "@/api/types.ts";

/** Whether the data of a DAG is there, from its newest runs. */
export interface Standing {
  /** `ready`: the newest run succeeded. `coming`: it has not ended. `missing`: it did not succeed. */
  is: "never" | "ready" | "coming" | "missing";
  newest?: RunBrief;
  /** When the newest run is expected to end, from the runs before it. */
  expected?: number;
  /** The last run that succeeded, where the newest one did not. */
  good?: RunBrief;
}

/** `runs`: the newest last, as the API tells them. */
export function standing(runs: readonly RunBrief[]): Standing {
  const newest = runs.at(-1);
  if (!newest) return { is: "never" };
  if (newest.state === "success") return { is: "ready", newest };
  const good = runs.findLast(({ state }) => state === "success");
  const open = newest.ended_at === null;
  return {
    is: open ? "coming" : "missing",
    newest,
    ...(good && { good }),
    ...(open && expectedEnd(newest, runs)),
  };
}

/** From the median duration of the successful runs before it. */
function expectedEnd(run: RunBrief, runs: readonly RunBrief[]): Pick<Standing, "expected"> {
  if (!run.started_at) return {};
  const lasted = runs
    .filter(({ state }) => state === "success")
    .flatMap(({ started_at, ended_at }) =>
      started_at && ended_at ? Date.parse(ended_at) - Date.parse(started_at) : [],
    )
    .sort((a, b) => a - b);
  const usual = lasted[Math.floor(lasted.length / 2)];
  return usual === undefined ? {} : { expected: Date.parse(run.started_at) + usual };
}

const LINK =
  /\[([^\]]*runbook[^\]]*)\]\((https?:\/\/[^\s)]+)\)|runbook\s*:\s*<?(https?:\/\/[^\s>)]+)/i;

/** The address of the runbook that a DAG's documentation links to: `[Runbook](https://…)`, `Runbook: https://…`. */
export function runbookIn(doc: string | undefined): string | undefined {
  const found = LINK.exec(doc ?? "");
  return found?.[2] ?? found?.[3];
}
