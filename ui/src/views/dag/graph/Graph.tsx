import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { type Box, groupBox, pictureOf } from "@/lib/graph/collapse.ts";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useSelection } from "@/state/selection.ts";
import { Drawing } from "./Drawing.tsx";
import styles from "./Graph.module.css";
import { GraphTools } from "./GraphTools.tsx";
import { useGraph } from "./useGraph.ts";
import { useLayout } from "./useLayout.ts";

const route = getRouteApi("/t/$team/dags/$dag/graph");

/** What depends on what, and where does it stop? */
export function Graph() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [selection, select] = useSelection();
  const { run, newest, found, graph, states } = useGraph(dag, selection.run);
  const open = useMemo(
    () =>
      search.open === undefined
        ? graph.openAtFirst
        : new Set(search.open === "none" ? [] : search.open.split(",")),
    [search.open, graph],
  );
  const picture = useMemo(
    () => (graph.tasks.length > 0 ? pictureOf(graph.tasks, graph.groups, open) : null),
    [graph, open],
  );
  const { done, key } = useLayout(picture);
  const change = useCallback(
    (next: { open?: string; focus?: "upstream" | "downstream" | "both" }) =>
      navigate({ search: (before) => ({ ...before, ...next }), replace: true }),
    [navigate],
  );
  const setOpen = useCallback(
    (groups: Iterable<string>) => change({ open: [...groups].join(",") || "none" }),
    [change],
  );
  const choose = useCallback(
    (box: Box) => {
      if (box.kind === "group") setOpen([...open, box.id.slice(groupBox("").length)]);
      else select({ run, task: box.id });
    },
    [open, setOpen, select, run],
  );
  const close = useCallback(
    (group: string) => setOpen([...open].filter((one) => one !== group)),
    [open, setOpen],
  );

  const failed = newest.error ?? found.error;
  if (failed && !found.data)
    return <ErrorState error={failed} what="The graph" retry={() => found.refetch()} />;
  if (newest.data === null)
    return (
      <EmptyState title="No runs yet" command={`headway run ${dag}`}>
        <p>The graph shows the tasks of a run, each with its state.</p>
      </EmptyState>
    );
  if (!picture) return <SkeletonRows count={10} />;
  const selected = picture.boxes.find(
    (box) => selection.task && box.tasks.includes(selection.task),
  );
  return (
    <div className={styles.graph}>
      <GraphTools
        boxes={picture.boxes.length}
        tasks={graph.tasks.length}
        groups={graph.groups.map((group) => group.group_id)}
        open={open}
        setOpen={setOpen}
        focus={search.focus}
        setFocus={(focus) => change({ focus })}
        focusable={selected !== undefined}
        busy={done?.key !== key}
      />
      {done && done.key === key ? (
        <Drawing
          picture={picture}
          layout={done.layout}
          states={states}
          selected={selected?.id ?? null}
          focus={search.focus}
          choose={choose}
          close={close}
        />
      ) : (
        <div className={styles.drawing} role="status" aria-label="The graph is laid out" />
      )}
    </div>
  );
}
