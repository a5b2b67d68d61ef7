import { number } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { StateIcon } from "@/parts/State.tsx";
import styles from "./Graph.module.css";

export interface Suggestion {
  task: string;
  label: string;
  state: string | null;
}

/** Too much to read at once: from which task shall the graph be seen? */
export function Pick({
  boxes,
  suggestions,
  choose,
  all,
}: {
  boxes: number;
  suggestions: readonly Suggestion[];
  choose: (task: string) => void;
  all: () => void;
}) {
  return (
    <EmptyState
      title={`${number(boxes)} tasks are too many to read at once`}
      action={<Button onClick={all}>Draw them all</Button>}
    >
      <p>Find a task above, or choose one of these to see the tasks around it.</p>
      <ul className={styles.picks}>
        {suggestions.map(({ task, label, state }) => (
          <li key={task}>
            <Button small onClick={() => choose(task)}>
              <StateIcon state={state ?? "waiting"} size={14} />
              {label}
            </Button>
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}
