import { useInfiniteQuery } from "@tanstack/react-query";
import { assetPartitions } from "@/api/queries.ts";
import type { AssetPartition } from "@/api/types.ts";
import { absolute, exact } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { who } from "@/views/events/describe.ts";
import styles from "./Assets.module.css";

const COLUMNS: readonly Column<AssetPartition>[] = [
  {
    key: "partition",
    head: "Partition",
    width: "minmax(120px, 1fr)",
    wraps: true,
    cell: ({ partition }) => <code>{partition}</code>,
  },
  {
    key: "at",
    head: "Last event",
    width: "minmax(116px, 1fr)",
    wraps: true,
    cell: ({ at, run_id, by }) => (
      <span>
        <time className="tabular" dateTime={at} title={absolute(at)}>
          {exact(at, Date.now())}
        </time>{" "}
        <span className={styles.quiet}>
          {run_id === null ? who(by ?? "") : <RunLink run={run_id}>{run_id}</RunLink>}
        </span>
      </span>
    ),
  },
];

/** The partitions of an asset, the last key first. Nothing if it has none. */
export function AssetPartitions({ name }: { name: string }) {
  const found = useInfiniteQuery(assetPartitions(name));
  if (!found.data || found.data.length === 0) return null;
  return (
    <Card title="Partitions">
      <Table
        natural
        label="Partitions"
        columns={COLUMNS}
        items={found.data}
        id={({ partition }) => partition}
      />
      {found.hasNextPage && (
        <p className={styles.more}>
          <Button disabled={found.isFetchingNextPage} onClick={() => found.fetchNextPage()}>
            More partitions
          </Button>
        </p>
      )}
    </Card>
  );
}
