import { Link } from "@tanstack/react-router";
import { type Remedy, withoutCommand } from "@/lib/remedy.ts";
import type { Selection } from "@/lib/selection.ts";
import type { Why } from "@/lib/why.ts";
import { Button } from "@/parts/Button.tsx";
import { DagLink } from "@/parts/links.tsx";
import { Since } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import { useTeam } from "@/state/session.ts";
import { RemedyButton } from "../../slots/Stuck.tsx";
import styles from "./Drawer.module.css";

const ALL_OF_IT = { map: undefined, try: undefined, state: undefined };

/** Why it is so, and the way to what holds it. */
export function WhyLine({
  why,
  since = null,
  dag,
  run,
  select,
  remedy,
}: {
  why: Why;
  /** Since when it waits for this. */
  since?: string | null;
  dag: string;
  run: string;
  select: (more: Selection) => void;
  /** What lets it run, where it cannot as things are. */
  remedy: Remedy;
}) {
  const team = useTeam();
  const { holds } = why;
  return (
    <p className={styles.why}>
      <Words text={withoutCommand(why.text, remedy)} />
      {since && (
        <>
          {", "}
          <Since at={since} />
        </>
      )}{" "}
      <RemedyButton remedy={remedy} />{" "}
      {holds?.kind === "slots" && (
        <Link className={styles.link} to="/t/$team/slots" params={{ team }}>
          View slots
        </Link>
      )}
      {holds?.kind === "components" && (
        <Link className={styles.link} to="/t/$team/overview" params={{ team }}>
          View Headway components
        </Link>
      )}
      {holds?.kind === "backfills" && (
        <Link className={styles.link} to="/t/$team/backfills" params={{ team }}>
          View backfills
        </Link>
      )}
      {holds?.kind === "dag" && <DagLink dag={dag}>Open DAG</DagLink>}
      {holds?.kind === "task" && (
        <Button
          small
          look="quiet"
          onClick={() => select({ run, task: holds.task_id, ...ALL_OF_IT })}
        >
          Show {holds.task_id}
        </Button>
      )}
    </p>
  );
}
