import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { grid as gridQuery } from "@/api/grid.ts";
import { whole } from "@/lib/grid/pages.ts";
import { groupsAround, rowsOf } from "@/lib/grid/tree.ts";
import { STATES, stateOfLetter } from "@/lib/states.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useSelection } from "@/state/selection.ts";
import styles from "./Grid.module.css";
import { GridTools } from "./GridTools.tsx";
import { CELL, labelWidth } from "./geometry.ts";
import { Surface } from "./Surface.tsx";
import { useLiveGrid } from "./useLiveGrid.ts";

const route = getRouteApi("/t/$team/dags/$dag/grid");

/** Is it flaky, since when, which task? Tasks by runs, the newest run at the right. */
export function Grid() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [selection, select] = useSelection();
  const found = useInfiniteQuery(gridQuery(dag));
  useLiveGrid(dag);
  const grid = useMemo(() => whole(found.data?.pages ?? []), [found.data]);
  const closed = useMemo(() => {
    const all = search.closed === "all" ? grid.groups.map((group) => group.group_id) : [];
    const named = search.closed && search.closed !== "all" ? search.closed.split(",") : [];
    const task = grid.tasks.find((one) => one.task_id === selection.task);
    const around = new Set(task ? groupsAround(task, grid.groups) : []);
    return new Set([...all, ...named].filter((group) => !around.has(group)));
  }, [search.closed, selection.task, grid]);
  const rows = useMemo(() => rowsOf(grid.tasks, grid.groups, closed), [grid, closed]);
  const states = useMemo(() => statesIn(grid.runs), [grid]);

  const change = useCallback(
    (next: { closed?: string; cell?: number }) =>
      navigate({ search: (before) => ({ ...before, ...next }), replace: true }),
    [navigate],
  );
  const toggle = useCallback(
    (group: string) => {
      const next = new Set(closed);
      if (!next.delete(group)) next.add(group);
      const all = next.size > 0 && next.size === grid.groups.length;
      change({ closed: all ? "all" : [...next].join(",") || undefined });
    },
    [closed, grid.groups.length, change],
  );

  if (found.isError && !found.data)
    return <ErrorState error={found.error} what="The grid" retry={() => found.refetch()} />;
  if (!found.data) return <SkeletonRows count={18} />;
  return (
    <div className={styles.view}>
      <GridTools
        states={states}
        cell={search.cell ?? CELL}
        setCell={(cell) => change({ cell: cell === CELL ? undefined : cell })}
        grouped={grid.groups.length > 0}
        folded={closed.size > 0}
        foldAll={(fold) => change({ closed: fold ? "all" : undefined })}
        older={found.hasNextPage ? () => found.fetchNextPage() : null}
        loading={found.isFetchingNextPage}
      />
      <Surface
        rows={rows}
        tasks={grid.tasks}
        runs={grid.runs}
        cell={search.cell ?? CELL}
        selection={selection}
        select={select}
        toggle={toggle}
      />
      {grid.runs.length === 0 && (
        <div className={styles.teach} style={{ left: labelWidth(window.innerWidth) }}>
          <EmptyState title="No runs yet" command={`headway run ${dag}`}>
            <p>Each run will appear here as a column.</p>
          </EmptyState>
        </div>
      )}
    </div>
  );
}

/** Only what occurs needs a legend. */
function statesIn(runs: readonly { cells: string; mapped: object }[]): string[] {
  const letters = new Set(runs.map((run) => run.cells).join(""));
  const found = new Set([...letters].map(stateOfLetter));
  return STATES.filter((state) => found.has(state));
}
