import { Brush, Layers, Wrench } from "lucide-react";
import { memo } from "react";
import type { RunTask } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { duration } from "@/lib/duration.ts";
import type { Box } from "@/lib/graph/collapse.ts";
import type { Placed } from "@/lib/graph/layout.ts";
import { mostTelling, stateWord, tally } from "@/lib/states.ts";
import { StateIcon, stateColour } from "@/parts/State.tsx";
import styles from "./Graph.module.css";

interface Props {
  box: Box;
  place: Placed;
  states: ReadonlyMap<string, RunTask>;
  selected: boolean;
  reached: boolean;
  faded: boolean;
  choose: (box: Box) => void;
}

/** A task, or a closed group: its state as an edge and a sign, not as a flood of colour. */
export const Node = memo(function Node(props: Props) {
  const { box, place, states } = props;
  const counts = countsOf(box, states);
  const state = mostTelling(counts) ?? "waiting";
  const instances = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const task = box.kind === "task" ? states.get(box.id) : undefined;
  const many = box.kind === "group" || task?.mapped === true;
  return (
    <button
      type="button"
      className={styles.node}
      data-id={box.id}
      data-kind={box.kind}
      data-critical={box.critical}
      data-faded={props.faded}
      aria-pressed={props.selected}
      aria-expanded={box.kind === "group" ? false : undefined}
      title={task?.blocked_reason ?? (box.tooltip || box.id + roleOf(task))}
      tabIndex={props.reached ? 0 : -1}
      style={{
        left: place.x,
        top: place.y,
        width: place.width,
        height: place.height,
        borderLeftColor: stateColour(state),
      }}
      onClick={() => props.choose(box)}
    >
      {box.kind === "group" ? (
        <Layers size={14} aria-hidden />
      ) : (
        <StateIcon state={state} size={15} />
      )}
      <span className={styles.label}>
        {box.label}
        <span className="sr-only">
          {roleOf(task)}, {wordsOf(box, counts)}
        </span>
      </span>
      {task?.setup && <Wrench size={12} aria-hidden className={styles.role} />}
      {task?.teardown && <Brush size={12} aria-hidden className={styles.role} />}
      {many ? (
        <span className={styles.fact}>×{number(countedIn(box, instances, states))}</span>
      ) : (
        task?.duration_s != null && <span className={styles.fact}>{duration(task.duration_s)}</span>
      )}
      {many && <Parts counts={counts} total={instances} />}
    </button>
  );
});

/** How its instances are divided, as a line along the bottom. */
function Parts({ counts, total }: { counts: Record<string, number>; total: number }) {
  return (
    <span className={styles.parts} aria-hidden>
      {tally(counts).map(([state, count]) => (
        <span
          key={state}
          style={{ flexGrow: count / Math.max(1, total), background: stateColour(state) }}
        />
      ))}
    </span>
  );
}

/** A mapped task counts its instances, a group its tasks. */
export function countsOf(box: Box, states: ReadonlyMap<string, RunTask>): Record<string, number> {
  if (box.kind === "task") return states.get(box.id)?.counts ?? {};
  const counts: Record<string, number> = {};
  for (const task of box.tasks) {
    const state = mostTelling(states.get(task)?.counts ?? {});
    if (state) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

/** Instances of a task, items of a mapped group, tasks of any other. */
function countedIn(box: Box, instances: number, states: ReadonlyMap<string, RunTask>): number {
  if (box.kind === "task") return instances;
  return box.mapped ? itemsOf(box.tasks, states) : box.tasks.length;
}

/** How many items a mapped group has: as many as instances of each of its tasks. */
export function itemsOf(tasks: readonly string[], states: ReadonlyMap<string, RunTask>): number {
  const counts = tasks.map((task) => Object.values(states.get(task)?.counts ?? {}));
  return Math.max(0, ...counts.map((each) => each.reduce((sum, count) => sum + count, 0)));
}

/** ", setup" or ", teardown" of a task that is one. */
function roleOf(task: RunTask | undefined): string {
  return task?.setup ? ", setup" : task?.teardown ? ", teardown" : "";
}

function wordsOf(box: Box, counts: Record<string, number>): string {
  const parts = tally(counts);
  const states = parts.map(([state, count]) =>
    parts.length === 1 && count === 1 ? stateWord(state) : `${number(count)} ${stateWord(state)}`,
  );
  const kind = box.mapped ? "mapped group" : "group";
  const what = box.kind === "group" ? `${kind} of ${number(box.tasks.length)} tasks, ` : "";
  return what + (states.join(", ") || "not started");
}
