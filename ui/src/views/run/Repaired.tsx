import { Link } from "@tanstack/react-router";
import type { Diagnosis } from "@/api/types.ts";
import { headlineOf } from "@/lib/causes.ts";
import { instanceName } from "@/lib/instances.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./RunPage.module.css";

const WELL = ["success", "skipped"];
const OVER = [...WELL, "failed", "upstream_failed", "cancelled", "removed"];

/** What has become of it. */
function toldOf({ state }: NonNullable<Diagnosis["repaired"]>): string {
  if (!state) return "First failure";
  if (WELL.includes(state)) return "First failure, repaired since";
  return OVER.includes(state) ? "First failure" : "First failure, which runs again";
}

/** The first failure of a run that a retry or a repair has overcome: what was wrong stays in sight. */
export function Repaired({
  error,
  run,
  select,
}: {
  error: NonNullable<Diagnosis["repaired"]>;
  run: string;
  select: (next: Selection) => void;
}) {
  const team = useTeam();
  const map = error.map_index < 0 ? undefined : error.map_index;
  const place = { task: error.task_id, map, try: error.attempt };
  return (
    <section className={styles.repaired} aria-label="First failure">
      {toldOf(error)}:{" "}
      <Button small flush look="quiet" onClick={() => select(place)}>
        <code>{instanceName(error)}</code>
      </Button>{" "}
      attempt {error.attempt}, <RelativeTime at={error.at} />:{" "}
      <code>{headlineOf(error.detail ?? "") || error.cause}</code>{" "}
      <Link
        className={styles.link}
        to="/t/$team/runs/$run/log"
        params={{ team, run }}
        search={place}
      >
        Open the log
      </Link>
    </section>
  );
}
