import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import type { CodeChange } from "@/api/types.ts";
import { codeChange, codeChanges } from "@/api/versions.ts";
import { counted } from "@/lib/count.ts";
import { absolute } from "@/lib/time.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { Changes } from "./Changes.tsx";
import { SourceDiff } from "./SourceDiff.tsx";
import styles from "./Versions.module.css";

const route = getRouteApi("/t/$team/dags/$dag/versions");

/** What changed, and when? Each change of the code, and any two of them beside each other. */
export function Versions() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const found = useInfiniteQuery(codeChanges(dag));
  const known = found.data ?? [];
  const to = search.to ?? known[0]?.number;
  const before = known.find((one) => to !== undefined && one.number < to)?.number;
  const from = search.from ?? before;
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The versions" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={8} />;
  const change = (next: { from?: number; to?: number; split?: boolean }) =>
    navigate({ search: (now) => ({ ...now, ...next }), replace: true });
  return (
    <div className={styles.frame}>
      <div className={styles.view}>
        <ol className={styles.list} aria-label="Versions">
          {known.map((one) => (
            <Item
              key={one.number}
              change={one}
              shown={one.number === to}
              base={one.number === from}
              show={() => change({ to: one.number, from: undefined })}
              compare={
                to !== undefined && one.number < to ? () => change({ from: one.number }) : null
              }
            />
          ))}
        </ol>
        <div className={styles.detail}>
          {from === undefined || to === undefined ? (
            <EmptyState title="No change so far">
              <p>
                When the DAG's file or a file that it imports changes, the differences appear here.
              </p>
            </EmptyState>
          ) : (
            <Comparison
              dag={dag}
              from={from}
              to={to}
              latest={known.find(({ version }) => version === versionOf(known, to))?.number === to}
              split={search.split ?? false}
              setSplit={(split) => change({ split: split || undefined })}
            />
          )}
        </div>
      </div>
    </div>
  );
}

function versionOf(known: readonly CodeChange[], number: number): number | undefined {
  return known.find((one) => one.number === number)?.version;
}

/** "lib/rates.py", "orders.py and 2 more files". */
function filesOf({ files }: CodeChange): string {
  const [first, ...rest] = files;
  if (!first) return "";
  return rest.length > 0 ? `${first.file} and ${counted(rest.length, "more file")}` : first.file;
}

function Item(props: {
  change: CodeChange;
  shown: boolean;
  base: boolean;
  show: () => void;
  compare: (() => void) | null;
}) {
  const { change } = props;
  return (
    <li className={styles.version} data-shown={props.shown} data-base={props.base}>
      <button
        type="button"
        onClick={props.show}
        aria-pressed={props.shown}
        title={change.files.map(({ file, change }) => `${file} ${change}`).join("\n") || undefined}
      >
        <b>
          Version {change.version}{" "}
          {change.bundle_version && <code>{change.bundle_version.slice(0, 8)}</code>}
        </b>
        <span>
          <RelativeTime at={change.created_at} />
          {change.files.length > 0 && `, ${filesOf(change)}`}
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

function Comparison(props: {
  dag: string;
  from: number;
  to: number;
  /** No later change has the same version: its source is that of the version. */
  latest: boolean;
  split: boolean;
  setSplit: (split: boolean) => void;
}) {
  const { team } = route.useParams();
  const found = useQuery(codeChange(props.dag, props.to, props.from));
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The difference" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={8} />;
  const { since, change, changes, files, reason } = found.data;
  return (
    <>
      <header className={styles.head}>
        <h2>
          Version {since && since.version !== change.version && `${since.version} → `}
          {change.version}
        </h2>
        {props.latest && (
          <Link
            to="/t/$team/dags/$dag/code"
            params={{ team, dag: props.dag }}
            search={{ version: change.version }}
          >
            Source of version {change.version}
          </Link>
        )}
      </header>
      <p className={styles.pins}>
        Bundle <Bundle change={since} /> → <Bundle change={change} />, since{" "}
        {absolute(change.created_at)}
      </p>
      <Changes changes={changes} />
      {reason && <p className={styles.same}>The source cannot be compared: {reason}.</p>}
      {!reason && files.length === 0 && <p className={styles.same}>The source is the same.</p>}
      {files.map(({ file, diff }) =>
        diff === null ? (
          <p className={styles.same} key={file}>
            <code>{file}</code> changed, and is too long to compare.
          </p>
        ) : (
          <SourceDiff
            key={file}
            file={file}
            diff={diff}
            split={props.split}
            setSplit={props.setSplit}
          />
        ),
      )}
    </>
  );
}

function Bundle({ change }: { change: CodeChange | null }) {
  return <code>{change?.bundle_version?.slice(0, 12) ?? "unknown"}</code>;
}
