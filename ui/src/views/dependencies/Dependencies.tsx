import { keepPreviousData, useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { dependencies } from "@/api/queries.ts";
import type { DagLinks } from "@/api/types.ts";
import { isAlias } from "@/lib/assets.ts";
import { AffectedDags } from "@/parts/AffectedDags.tsx";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { FilterBar, FilterText } from "@/parts/FilterBar.tsx";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./Dependencies.module.css";

const route = getRouteApi("/t/$team/dependencies");

/** Which DAG waits for which, by assets and runs, and who is affected if one is late. */
export function Dependencies() {
  const { dag = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery({ ...dependencies(dag), placeholderData: keepPreviousData });
  const shown = found.data ?? [];
  return (
    <Page
      title="Dependencies"
      note="DAGs that wait for assets or runs of other DAGs, or are started by them."
    >
      <FilterBar>
        <FilterText
          label="DAG, asset or owner…"
          value={dag}
          onChange={(text) => navigate({ search: { dag: text || undefined }, replace: true })}
        />
      </FilterBar>
      <PageBody>
        {found.isPending ? (
          <SkeletonRows count={6} />
        ) : !found.data ? (
          <ErrorState error={found.error} what="The dependencies" retry={() => found.refetch()} />
        ) : shown.length === 0 ? (
          <EmptyState title={dag ? "No dependencies match" : "No DAG waits for another"}>
            <p>
              A DAG that runs on the data of others, as with{" "}
              <code>@dag(schedule=Asset("orders"))</code>, or that has a task{" "}
              <code>wait_for_run</code>, appears here with what it waits for.
            </p>
          </EmptyState>
        ) : (
          <>
            <ul className={styles.dags}>
              {shown.map((each) => (
                <Row key={each.dag_id} links={each} />
              ))}
            </ul>
            {found.hasNextPage && (
              <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
                More DAGs
              </Button>
            )}
          </>
        )}
      </PageBody>
    </Page>
  );
}

/** What links two DAGs: an asset, a task that waits for a run, or one that started the last run. */
const BY: Readonly<Record<string, string>> = {
  asset: "asset",
  run: "task",
  trigger: "started by task",
};

function Row({ links }: { links: DagLinks }) {
  return (
    <li className={styles.dag}>
      <h2>
        {links.last_run_state && <StateIcon state={links.last_run_state} label />}
        <DagLink dag={links.dag_id} />
      </h2>
      <p className={styles.facts}>
        {links.owner && <span>owner {links.owner}</span>}
        {links.paused_at && <span>paused</span>}
        {links.next_run_at && !links.paused_at && (
          <span>
            next run <RelativeTime at={links.next_run_at} />
          </span>
        )}
      </p>
      <Side title="Waits for" links={links.upstream} none="nothing of other DAGs" />
      <Side title="Is awaited by" links={links.downstream} none="no DAG" />
      <div>
        <h3>If it is late</h3>
        <p>
          <AffectedDags
            dags={links.affected}
            total={links.affected_total}
            owners={links.affected_owners}
          />
        </p>
      </div>
    </li>
  );
}

function Side({
  title,
  links,
  none,
}: {
  title: string;
  links: DagLinks["upstream"];
  none: string;
}) {
  return (
    <div>
      <h3>{title}</h3>
      {links.length === 0 && <p className={styles.none}>{none}</p>}
      <ul>
        {links.map(({ dag_id, kind, name, owner }) => (
          <li key={`${dag_id} ${kind} ${name}`}>
            {dag_id === null ? "from outside" : <DagLink dag={dag_id} />}{" "}
            <span className={styles.none}>
              {isAlias(name) ? "" : `${BY[kind] ?? kind} `}
              {kind === "asset" ? <AssetLink asset={name} /> : <code>{name}</code>}
              {owner && ` · owner ${owner}`}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}
