import { useQuery } from "@tanstack/react-query";
import { slots } from "@/api/queries.ts";
import type { Slots as SlotsAnswer } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { DagLink } from "@/parts/links.tsx";
import { Card, Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { Words } from "@/parts/Words.tsx";
import { useMay } from "@/state/session.ts";
import { LimitsCard } from "./LimitsCard.tsx";
import { PoolCard } from "./PoolCard.tsx";
import { NewPool } from "./PoolDialog.tsx";
import styles from "./Slots.module.css";
import { Stuck } from "./Stuck.tsx";
import { TeamCard } from "./TeamCard.tsx";

/** Why do I wait, and who uses what. */
export function Slots() {
  const found = useQuery(slots());
  const mayChange = useMay("pool.write");
  const mayReadTeam = useMay("team.read");
  return (
    <Page
      title="Slots"
      note="Each running task takes a slot in its pool. When a pool is full, tasks wait in order of priority."
      actions={mayChange && <NewPool />}
    >
      <PageBody>
        {found.isPending ? (
          <SkeletonRows count={6} />
        ) : found.isError && !found.data ? (
          <ErrorState error={found.error} what="The slots" retry={() => found.refetch()} />
        ) : (
          <div className={styles.pools}>
            <Stuck tasks={found.data.stuck} />
            <TeamCard slots={found.data} />
            {found.data.pools.map((pool) => (
              <PoolCard key={pool.name} pool={pool} />
            ))}
            <RunsWaiting dags={found.data.runs_waiting} />
            {mayReadTeam && <LimitsCard />}
          </div>
        )}
      </PageBody>
    </Page>
  );
}

function RunsWaiting({ dags }: { dags: SlotsAnswer["runs_waiting"] }) {
  if (dags.length === 0) return null;
  return (
    <Card title="Runs waiting to start">
      <div className={styles.use}>
        <ul>
          {dags.map((dag) => (
            <li key={`${dag.dag_id} ${dag.reason}`}>
              <span>
                <DagLink dag={dag.dag_id} />{" "}
                <span className={styles.muted}>
                  <Words text={dag.reason} />
                </span>
              </span>
              <span>{counted(dag.queued, "run")}</span>
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}
