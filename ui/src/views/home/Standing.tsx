import { Link } from "@tanstack/react-router";
import type { Component, Overview, Pool } from "@/api/types.ts";
import { DagLink } from "@/parts/links.tsx";
import { Meter } from "@/parts/Meter.tsx";
import { Card } from "@/parts/Page.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Home.module.css";

export function Next({ runs }: { runs: Overview["next"] }) {
  if (runs.length === 0) return null;
  return (
    <Card title="Next runs">
      <ul className={styles.list}>
        {runs.map((run) => (
          <li key={`${run.dag_id} ${run.fire_at}`}>
            <span className={styles.what}>
              <DagLink dag={run.dag_id} />
            </span>
            <span className={styles.when}>
              <RelativeTime at={run.fire_at} />
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Slots({ pools }: { pools: readonly Pool[] }) {
  const team = useTeam();
  return (
    <Card
      title="Slots"
      link={
        <Link to="/t/$team/slots" params={{ team }}>
          See who uses them
        </Link>
      }
    >
      <ul className={styles.list}>
        {pools.map((pool) => (
          <li key={pool.name}>
            <span className={styles.what}>{pool.name}</span>
            <Meter used={pool.used} of={pool.slots} label={`Slots of ${pool.name} in use`} />
            <span className={styles.when}>
              {pool.used} of {pool.slots}
              {pool.waiting > 0 && `, ${pool.waiting} waiting`}
            </span>
          </li>
        ))}
      </ul>
    </Card>
  );
}

export function Components({ components }: { components: readonly Component[] }) {
  return (
    <Card title="Headway components">
      <ul className={styles.list}>
        {components.map((component) => (
          <li key={`${component.name} ${component.detail}`}>
            <StateIcon state={component.healthy ? "success" : "failed"} label />
            <span className={styles.what}>{component.name}</span>
            <span className={styles.when}>{component.detail}</span>
          </li>
        ))}
      </ul>
    </Card>
  );
}
