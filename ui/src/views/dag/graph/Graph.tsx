import { getRouteApi } from "@tanstack/react-router";
import { useCallback, useMemo } from "react";
import { type Box, groupBox } from "@/lib/graph/collapse.ts";
import type { Focus } from "@/lib/graph/focus.ts";
import { Command } from "@/parts/EmptyState.tsx";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { SkeletonRows } from "@/parts/Skeleton.tsx";
import { useSelection } from "@/state/selection.ts";
import { useKnown } from "../useKnown.ts";
import { Drawing } from "./Drawing.tsx";
import styles from "./Graph.module.css";
import { GraphTools } from "./GraphTools.tsx";
import { Pick } from "./Pick.tsx";
import { useGraph } from "./useGraph.ts";
import { useLayout } from "./useLayout.ts";
import { suggestions, useShown } from "./useShown.ts";

const route = getRouteApi("/t/$team/dags/$dag/graph");

/** What depends on what, and where does it stop? */
export function Graph() {
  const { dag } = route.useParams();
  const search = route.useSearch();
  const navigate = route.useNavigate();
  const [, select] = useSelection();
  const { selection, pending } = useKnown(dag);
  const { run, runless, graph, states, error, retry } = useGraph(dag, selection.run, !pending);
  const open = useMemo(
    () =>
      search.open === undefined
        ? graph.openAtFirst
        : new Set(search.open === "none" ? [] : search.open.split(",")),
    [search.open, graph],
  );
  const shown = useShown(graph, open, selection.task, search.only, search.focus);
  const { done, key } = useLayout(shown.picture);
  const change = useCallback(
    (next: { open?: string; focus?: Focus; only?: boolean }) =>
      navigate({ search: (before) => ({ ...before, ...next }), replace: true }),
    [navigate],
  );
  const setOpen = useCallback(
    (groups: Iterable<string>) => change({ open: [...groups].join(",") || "none" }),
    [change],
  );
  const pick = useCallback((task: string) => select({ run, task }), [select, run]);
  const choose = useCallback(
    (box: Box) => {
      if (box.kind === "group") setOpen([...open, box.id.slice(groupBox("").length)]);
      else pick(box.id);
    },
    [open, setOpen, pick],
  );
  const close = useCallback(
    (group: string) => setOpen([...open].filter((one) => one !== group)),
    [open, setOpen],
  );
  const names = useMemo(() => graph.tasks.map((task) => task.task_id), [graph]);

  if (error) return <ErrorState error={error} what="The graph" retry={() => retry()} />;
  if (!shown.whole) return <SkeletonRows count={10} />;
  const ready = done && done.key === key && shown.picture;
  return (
    <div className={styles.graph}>
      <GraphTools
        boxes={shown.whole.boxes.length}
        tasks={names}
        find={pick}
        around={shown.around}
        setOnly={(only) => change({ only })}
        quick={Boolean(ready) && done?.carefully === false}
        groups={graph.groups.map((group) => group.group_id)}
        open={open}
        setOpen={setOpen}
        focus={search.focus}
        setFocus={(focus) => change({ focus })}
        focusable={shown.selected !== undefined}
        busy={shown.picture !== null && done?.key !== key}
      />
      {runless && (
        <div className={styles.teach}>
          <b>No runs yet.</b> This is what depends on what; a run gives each box its state.
          <Command text={`headway run ${dag}`} />
        </div>
      )}
      {!shown.picture && (
        <Pick
          boxes={shown.whole.boxes.length}
          suggestions={suggestions(graph, states)}
          choose={pick}
          all={() => change({ only: false })}
        />
      )}
      {ready && shown.picture ? (
        <Drawing
          key={shown.around ? key : "whole"}
          picture={shown.picture}
          layout={done.layout}
          states={states}
          selected={shown.selected?.id ?? null}
          focus={shown.around ? undefined : search.focus}
          choose={choose}
          close={close}
          items={(group) => select({ run, group })}
        />
      ) : (
        shown.picture && (
          <div className={styles.drawing} role="status" aria-label="The graph is laid out" />
        )
      )}
    </div>
  );
}
