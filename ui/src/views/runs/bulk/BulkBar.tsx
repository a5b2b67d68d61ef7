import { Link } from "@tanstack/react-router";
import { useState } from "react";
import type { Run } from "@/api/types.ts";
import { Button, buttonClass } from "@/parts/Button.tsx";
import { type Picked, PickedBar } from "@/parts/picking.tsx";
import { useMay, useTeam } from "@/state/session.ts";
import { BulkDialog } from "./BulkDialog.tsx";
import type { Deed } from "./useBulk.ts";

const RUNS_MAX = 50;
const DEEDS: readonly [Deed, string, "run.clear" | "run.cancel" | "run.mark"][] = [
  ["retry", "Retry failed…", "run.clear"],
  ["clear", "Clear…", "run.clear"],
  ["cancel", "Cancel…", "run.cancel"],
  ["success", "Mark success…", "run.mark"],
  ["failed", "Mark failed…", "run.mark"],
];

/** What can be done with the runs that are selected in a list. */
export function BulkBar({ picked }: { picked: Picked<Run> }) {
  const [deed, setDeed] = useState<Deed | null>(null);
  const may = {
    "run.clear": useMay("run.clear"),
    "run.cancel": useMay("run.cancel"),
    "run.mark": useMay("run.mark"),
  };
  const team = useTeam();
  const { chosen, choose } = picked;
  const [first, second] = chosen.toSorted((a, b) => b.logical_date.localeCompare(a.logical_date));
  const tooMany = chosen.length > RUNS_MAX;
  return (
    <PickedBar picked={picked} noun="run" note={tooMany && ` (at most ${RUNS_MAX} at once)`}>
      {DEEDS.filter(([, , needs]) => may[needs]).map(([each, word]) => (
        <Button key={each} small disabled={tooMany} onClick={() => setDeed(each)}>
          {word}
        </Button>
      ))}
      {first && second && first.dag_id === second.dag_id && chosen.length === 2 && (
        <Link
          className={buttonClass({ small: true })}
          to="/t/$team/runs/$run/diff"
          params={{ team, run: second.run_id }}
          search={{ with: first.run_id }}
        >
          Compare
        </Link>
      )}
      {deed && (
        <BulkDialog deed={deed} runs={chosen} close={() => setDeed(null)} done={() => choose([])} />
      )}
    </PickedBar>
  );
}
