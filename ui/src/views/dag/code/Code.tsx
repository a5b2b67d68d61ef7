import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { dag as dagQuery } from "@/api/queries.ts";
import type { Source } from "@/api/types.ts";
import { runSource, versionSource, versionSpec } from "@/api/versions.ts";
import { counted } from "@/lib/count.ts";
import { CopyButton } from "@/parts/CopyText.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useKnown } from "../useKnown.ts";
import styles from "./Code.module.css";
import { CodeLines } from "./CodeLines.tsx";

const route = getRouteApi("/t/$team/dags/$dag/code");

/** What ran? The source exactly as the selected run got it, else that of the version. */
export function Code() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const { selection, run, pending } = useKnown(dag);
  const detail = useQuery(dagQuery(dag));
  const version = search.version ?? detail.data?.version;
  const asRun = Boolean(selection.run) && search.version === undefined;
  const byRun = useQuery({
    ...runSource(selection.run ?? ""),
    enabled: asRun && !pending,
  });
  const byVersion = useQuery({
    ...versionSource(dag, version ?? 0),
    enabled: version !== undefined && !asRun,
  });
  const line = useTaskLine(dag, asRun ? run?.version : version, selection.task);
  const found = asRun ? byRun : byVersion;
  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The source" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={18} />;
  return (
    <div className={styles.view}>
      <Head
        source={found.data}
        dag={dag}
        version={asRun ? null : (version ?? null)}
        run={asRun ? selection.run : undefined}
      />
      <CodeLines file={found.data.file} text={found.data.text} line={line} />
    </div>
  );
}

/** Where the task stands in that version: in another it may have stood elsewhere. */
function useTaskLine(dag: string, version: number | undefined, task: string | undefined) {
  const spec = useQuery({
    ...versionSpec(dag, version ?? 0),
    enabled: version !== undefined && task !== undefined,
  });
  return spec.data?.tasks.find((one) => one.task_id === task)?.line || undefined;
}

function Head({
  source,
  dag,
  version,
  run,
}: {
  source: Source;
  dag: string;
  version: number | null;
  run: string | undefined;
}) {
  const { team } = route.useParams();
  return (
    <div className={styles.head}>
      <span className={styles.file}>{source.file}</span>
      <span>
        {run ? (
          <>
            as it was for run <code>{run}</code>
          </>
        ) : (
          `version ${version}`
        )}
      </span>
      <span>
        bundle <code title={source.bundle_version}>{source.bundle_version.slice(0, 12)}</code>
      </span>
      {source.others.length > 0 && (
        <span title={source.others.join("\n")}>
          and {counted(source.others.length, "more file")} in the bundle
        </span>
      )}
      {source.truncated && (
        <span>This file is too long to show in full; this is the beginning</span>
      )}
      <span className={styles.grow} />
      <span className={styles.ways}>
        <Link
          to="/t/$team/dags/$dag/versions"
          params={{ team, dag }}
          search={(before) => ({ run: before.run, task: before.task })}
        >
          What changed
        </Link>
        <CopyButton text={source.text} />
      </span>
    </div>
  );
}
