import type { AssetDetail } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { Words } from "@/parts/Words.tsx";
import styles from "./Assets.module.css";

type Waiter = AssetDetail["waiters"][number];

const COLUMNS: readonly Column<Waiter>[] = [
  {
    key: "dag",
    head: "DAG",
    width: "minmax(96px, 1fr)",
    wraps: true,
    cell: ({ dag_id, owner }) => (
      <span>
        <DagLink dag={dag_id} />
        {owner && <span className={styles.quiet}> · owner {owner}</span>}
      </span>
    ),
  },
  {
    key: "missing",
    head: "Still misses",
    width: "minmax(112px, 1.2fr)",
    wraps: true,
    cell: (waiter) => <Missing waiter={waiter} />,
  },
];

/** The DAGs that wait for an asset, each with what its next run still misses. */
export function Waiters({ detail: { waiters, waiters_total } }: { detail: AssetDetail }) {
  return (
    <Card title={`${counted(waiters_total, "DAG waits", "DAGs wait")} for it`}>
      {waiters.length === 0 ? (
        <p className={styles.none}>
          A DAG waits for it with <code>schedule=Asset(…)</code>.
        </p>
      ) : (
        <Table
          natural
          label="DAGs that wait for it"
          columns={COLUMNS}
          items={waiters}
          id={({ dag_id }) => dag_id}
        />
      )}
      {waiters_total > waiters.length && (
        <p className={styles.none}>The first {waiters.length} of them are shown.</p>
      )}
    </Card>
  );
}

function Missing({ waiter: { paused, partitioned, missing, reason } }: { waiter: Waiter }) {
  if (paused) return <span className={styles.quiet}>paused</span>;
  if (partitioned)
    return (
      <span>
        <Words text={reason} />
      </span>
    );
  if (missing.length === 0) return <span title={reason}>nothing: a run comes</span>;
  return (
    <span title={reason}>
      {missing.map((name, at) => (
        <span key={name}>
          {at > 0 && ", "}
          <AssetLink asset={name} />
        </span>
      ))}
    </span>
  );
}
