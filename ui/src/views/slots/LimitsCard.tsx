import { useInfiniteQuery } from "@tanstack/react-query";
import { teams } from "@/api/queries.ts";
import { labelOf, standingOf, standingOfPool } from "@/lib/limits.ts";
import { Card } from "@/parts/Page.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./Slots.module.css";

/** The limits that are set for the team and its warm pools, with what counts against them now. */
export function LimitsCard() {
  const name = useTeam();
  const { data } = useInfiniteQuery(teams());
  const team = data?.find((team) => team.name === name);
  const limits = (team?.limits ?? []).filter(({ limit }) => limit !== null);
  const pools = team?.cluster?.pools ?? [];
  if (limits.length === 0 && pools.length === 0) return null;
  return (
    <Card title={`Limits of team ${name}`}>
      <div className={styles.use}>
        <ul>
          {limits.map((limit) => (
            <li key={limit.name}>
              <span>{labelOf(limit.name)}</span>
              <span className="tabular">{standingOf(limit)}</span>
            </li>
          ))}
          {pools.map((pool) => (
            <li key={pool.executor}>
              <span>Agents of the warm pool</span>
              <span className="tabular">{standingOfPool(pool, team?.cluster?.warm_max ?? 0)}</span>
            </li>
          ))}
        </ul>
      </div>
    </Card>
  );
}
