import { useInfiniteQuery } from "@tanstack/react-query";
import { assetEvents } from "@/api/queries.ts";
import type { AssetEvent } from "@/api/types.ts";
import { isAlias } from "@/lib/assets.ts";
import { absolute, exact } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { Command } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { AssetLink, RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import styles from "./Assets.module.css";
import { reporterOf } from "./watchers.ts";

const COLUMNS: readonly Column<AssetEvent>[] = [
  {
    key: "at",
    head: "When",
    width: "minmax(88px, 116px)",
    cell: ({ at }) => (
      <time className="tabular" dateTime={at} title={absolute(at)}>
        {exact(at, Date.now())}
      </time>
    ),
  },
  {
    key: "source",
    head: "From",
    width: "minmax(100px, 1.6fr)",
    wraps: true,
    cell: (event) => <Source event={event} />,
  },
  {
    key: "asset",
    head: "Asset",
    width: "minmax(80px, 1fr)",
    cell: ({ asset }) => <AssetLink asset={asset} />,
  },
  {
    key: "partition",
    head: "Partition",
    width: "minmax(80px, 0.8fr)",
    secondary: true,
    cell: ({ partition }) => <span title={partition ?? undefined}>{partition ?? "–"}</span>,
  },
  {
    key: "extra",
    head: "Extra",
    width: "minmax(80px, 1.4fr)",
    cell: ({ extra }) => {
      const text = JSON.stringify(extra);
      return (
        <span className={styles.extra} title={text === "{}" ? undefined : text}>
          {text === "{}" ? "–" : text}
        </span>
      );
    },
  },
];

const OF_ASSET = COLUMNS.filter(({ key }) => key !== "asset");
// The asset comes before what there is no room for.
const OF_ALIAS = COLUMNS.map((column) =>
  column.key === "extra" ? { ...column, secondary: true } : column,
);
// So does the partition, where events have one.
const WIDTHS: Record<string, string> = {
  source: "minmax(72px, 1fr)",
  partition: "minmax(112px, 1fr)",
};
const OF_PARTITIONS = OF_ALIAS.filter(({ key }) => key !== "asset").map((column) => ({
  ...column,
  secondary: column.secondary && column.key !== "partition",
  width: WIDTHS[column.key] ?? column.width,
}));

function columnsOf(name: string, events: readonly AssetEvent[]): readonly Column<AssetEvent>[] {
  if (isAlias(name)) return OF_ALIAS;
  return events.some(({ partition }) => partition) ? OF_PARTITIONS : OF_ASSET;
}

/** The events of an asset, the newest first, each with the run that made it or who reported it. */
export function AssetEvents({ name, outside }: { name: string; outside: boolean }) {
  const found = useInfiniteQuery(assetEvents(name));
  return (
    <Card title="Events">
      {found.isPending ? (
        <SkeletonRows count={4} />
      ) : !found.data ? (
        <ErrorState error={found.error} what="The events" retry={() => found.refetch()} />
      ) : found.data.length === 0 ? (
        <div className={styles.none}>
          <p>
            {isAlias(name)
              ? "No events yet. A task with this alias among its outlets adds the assets that it updates."
              : "No events yet. A task with this asset among its outlets makes one when it succeeds."}
            {outside && " Other systems report one with:"}
          </p>
          {outside && <Command text={`headway asset emit ${quoted(name)}`} />}
        </div>
      ) : (
        <Table
          natural
          label="Events"
          columns={columnsOf(name, found.data)}
          items={found.data}
          id={({ event_id }) => String(event_id)}
        />
      )}
      {found.hasNextPage && (
        <p className={styles.more}>
          <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
            Older events
          </Button>
        </p>
      )}
    </Card>
  );
}

function Source({ event: { run_id, dag_id, task_id, map_index, by } }: { event: AssetEvent }) {
  if (run_id === null) return <span title={by ?? undefined}>{reporterOf(by ?? "")}</span>;
  return (
    <span>
      <RunLink run={run_id}>{dag_id}</RunLink>{" "}
      <span className={styles.quiet}>
        task {task_id}
        {map_index !== null && map_index >= 0 && `[${map_index}]`}
      </span>
    </span>
  );
}

/** As one word of a shell. */
function quoted(name: string): string {
  return /^[\w@%+=:,./-]+$/.test(name) ? name : `'${name.replaceAll("'", `'\\''`)}'`;
}
