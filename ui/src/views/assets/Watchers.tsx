import type { AssetDetail } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { DagLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import { type Column, Table } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { Name } from "@/parts/Unbroken.tsx";
import styles from "./Assets.module.css";
import { rowOf, shownState, toldOf } from "./watchers.ts";

type Watcher = NonNullable<AssetDetail["watchers"]>[number];

const COLUMNS: readonly Column<Watcher>[] = [
  {
    key: "name",
    head: "Watcher",
    width: "minmax(96px, 1fr)",
    wraps: true,
    cell: ({ name, what, dag_id }) => (
      <span>
        <Name text={name} />
        {what && !what.includes(name) && <span className={styles.quiet}> · {what}</span>}
        <span className={styles.quiet}> · in </span>
        <DagLink dag={dag_id} />
      </span>
    ),
  },
  {
    key: "state",
    head: "Now",
    width: "minmax(112px, 1.2fr)",
    wraps: true,
    cell: (watcher) => <Now watcher={watcher} />,
  },
  {
    key: "events",
    head: "Events",
    width: "minmax(72px, .6fr)",
    wraps: true,
    cell: ({ events, last_event_at }) => (
      <span>
        {events.toLocaleString("en")}
        {last_event_at && (
          <span className={styles.quiet}>
            , last <RelativeTime at={last_event_at} />
          </span>
        )}
      </span>
    ),
  },
];

/** The code that looks out for events of an asset outside of Headway, and what each does now. */
export function Watchers({ detail: { watchers = [] } }: { detail: AssetDetail }) {
  return (
    <Card title={watchers.length === 0 ? "Watchers" : counted(watchers.length, "watcher")}>
      {watchers.length === 0 ? (
        <p className={styles.none}>
          None. A watcher tells of events outside of Headway:{" "}
          <code>Asset(…, watchers=[FilesArrive(…)])</code>.
        </p>
      ) : (
        <Table natural label="Watchers" columns={COLUMNS} items={watchers} id={rowOf} />
      )}
    </Card>
  );
}

function Now({ watcher }: { watcher: Watcher }) {
  const { state, error, looks_at, starts_at, slowed_at } = watcher;
  const told = toldOf(watcher);
  return (
    <span>
      <span>{shownState(watcher)}</span>
      {told && <span className={styles.quiet}> · {told}</span>}
      {error && (
        <code className={styles.error} title={error}>
          {error}
        </code>
      )}
      {state === "failed" && starts_at && (
        <span className={styles.quiet}>
          {" "}
          · begins again <RelativeTime at={starts_at} />
        </span>
      )}
      {state === "looking" && looks_at && (
        <span className={styles.quiet}>
          {" "}
          · looks again <RelativeTime at={looks_at} />
        </span>
      )}
      {slowed_at && (
        <span className={styles.quiet}>
          {" "}
          · slowed <RelativeTime at={slowed_at} />, because it told of too many events
        </span>
      )}
    </span>
  );
}
