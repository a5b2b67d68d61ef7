import type { Asset } from "@/api/types.ts";
import { AssetLink, DagLink } from "@/parts/links.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./Assets.module.css";
import { ownersOf, unique } from "./producers.ts";

const SHOWN_MAX = 3;

export const COLUMNS: readonly Column<Asset>[] = [
  {
    key: "asset",
    head: "Asset",
    width: "minmax(112px, 2fr)",
    sorts: [
      { by: "name", down: false },
      { by: "-name", down: true },
    ],
    cell: (asset) => (
      <span className={styles.name}>
        <AssetLink asset={asset.name} />
        {asset.uri && asset.uri !== asset.name && <span className={styles.uri}>{asset.uri}</span>}
      </span>
    ),
  },
  {
    key: "last",
    head: "Last event",
    width: "104px",
    sorts: [
      { by: "-last_event", down: true },
      { by: "last_event", down: false },
    ],
    cell: (asset) =>
      asset.last_event_at ? (
        <RelativeTime at={asset.last_event_at} />
      ) : (
        <span className={styles.quiet}>never</span>
      ),
  },
  {
    key: "producers",
    head: "Updated by",
    width: "minmax(120px, 1.6fr)",
    secondary: true,
    cell: ({ producers, alias }) => (
      <Dags dags={unique(producers)} none={alias === null ? "from outside" : "no DAG"} />
    ),
  },
  {
    key: "consumers",
    head: "Awaited by",
    width: "minmax(100px, 1.6fr)",
    cell: ({ consumers, awaiters = [] }) => (
      <Dags dags={unique([...consumers, ...awaiters])} none="no DAG" />
    ),
  },
  {
    key: "owners",
    head: "Owners",
    width: "minmax(96px, 1fr)",
    secondary: 2,
    cell: ({ producers, consumers, awaiters = [] }) => {
      const owners = ownersOf([...producers, ...consumers, ...awaiters]).join(", ");
      return <span title={owners}>{owners || "–"}</span>;
    },
  },
];

function Dags({ dags, none }: { dags: string[]; none: string }) {
  if (dags.length === 0) return <span className={styles.quiet}>{none}</span>;
  return (
    <span title={dags.join(", ")}>
      {dags.slice(0, SHOWN_MAX).map((dag, at) => (
        <span key={dag}>
          {at > 0 && ", "}
          <DagLink dag={dag} />
        </span>
      ))}
      {dags.length > SHOWN_MAX && ` and ${dags.length - SHOWN_MAX} more`}
    </span>
  );
}
