import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { Version } from "@/api/types.ts";
import { diff as diffQuery, versions as versionsQuery } from "@/api/versions.ts";
import { counted } from "@/lib/count.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { Changes } from "./Changes.tsx";
import { SourceDiff } from "./SourceDiff.tsx";
import styles from "./Versions.module.css";

const route = getRouteApi("/t/$team/dags/$dag/versions");

/** What changed, and when? Versions, and any two of them beside each other. */
export function Versions() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery(versionsQuery(dag));
  const known = found.data ?? [];
  const to = search.to ?? known[0]?.version;
  const before = known.find((one) => to !== undefined && one.version < to)?.version;
  const from = search.from ?? before;
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The versions" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={8} />;
  const change = (next: { from?: number; to?: number; split?: boolean }) =>
    navigate({ search: (now) => ({ ...now, ...next }), replace: true });
  return (
    <div className={styles.view}>
      <ol className={styles.list} aria-label="Versions">
        {known.map((version) => (
          <Item
            key={version.version}
            version={version}
            shown={version.version === to}
            base={version.version === from}
            show={() => change({ to: version.version, from: undefined })}
            compare={
              to !== undefined && version.version < to
                ? () => change({ from: version.version })
                : null
            }
          />
        ))}
      </ol>
      <div className={styles.detail}>
        {from === undefined || to === undefined ? (
          <EmptyState title="Only one version so far">
            <p>When the DAG's file changes, the differences will appear here.</p>
          </EmptyState>
        ) : (
          <Comparison
            dag={dag}
            from={from}
            to={to}
            split={search.split ?? false}
            setSplit={(split) => change({ split: split || undefined })}
          />
        )}
      </div>
    </div>
  );
}

function Item(props: {
  version: Version;
  shown: boolean;
  base: boolean;
  show: () => void;
  compare: (() => void) | null;
}) {
  const { version } = props;
  return (
    <li className={styles.version} data-shown={props.shown} data-base={props.base}>
      <button
        type="button"
        onClick={props.show}
        aria-pressed={props.shown}
        title={version.spec_hash}
      >
        <b>Version {version.version}</b>
        <span>
          <RelativeTime at={version.created_at} />, {counted(version.runs, "run")}
        </span>
      </button>
      {props.base ? (
        <span className={styles.base}>compared</span>
      ) : (
        props.compare && (
          <button type="button" className={styles.compare} onClick={props.compare}>
            compare
          </button>
        )
      )}
    </li>
  );
}

function Comparison({
  dag,
  from,
  to,
  split,
  setSplit,
}: {
  dag: string;
  from: number;
  to: number;
  split: boolean;
  setSplit: (split: boolean) => void;
}) {
  const { team } = route.useParams();
  const found = useQuery(diffQuery(dag, from, to));
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The difference" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={8} />;
  return (
    <>
      <header className={styles.head}>
        <h2>
          Version {from} → {to}
        </h2>
        <Link to="/t/$team/dags/$dag/code" params={{ team, dag }} search={{ version: to }}>
          Source of version {to}
        </Link>
      </header>
      <Changes changes={found.data.changes} />
      {found.data.reason ? (
        <p className={styles.same}>The source cannot be compared: {found.data.reason}.</p>
      ) : (
        <SourceDiff diff={found.data.source_diff} split={split} setSplit={setSplit} />
      )}
    </>
  );
}
