import { useId, useMemo, useState } from "react";
import styles from "./Graph.module.css";

const SHOWN = 30;

/** A task by any part of its name. */
export function FindTask({
  tasks,
  choose,
}: {
  tasks: readonly string[];
  choose: (task: string) => void;
}) {
  const list = useId();
  const [text, setText] = useState("");
  const found = useMemo(() => matching(tasks, text), [tasks, text]);
  const take = (task: string | undefined) => {
    if (!task) return;
    choose(task);
    setText("");
  };
  return (
    <>
      <input
        type="search"
        className={styles.find}
        aria-label="Find a task"
        placeholder="Find a task"
        list={list}
        value={text}
        onChange={(event) => {
          const next = event.target.value;
          setText(next);
          // Chosen from the list: the browser writes the whole name at once.
          if (next.length > text.length + 1 && tasks.includes(next)) take(next);
        }}
        onKeyDown={(event) => {
          if (event.key === "Enter") take(tasks.includes(text) ? text : found[0]);
        }}
      />
      <datalist id={list}>
        {found.map((task) => (
          <option key={task} value={task} />
        ))}
      </datalist>
    </>
  );
}

function matching(tasks: readonly string[], text: string): string[] {
  const wanted = text.trim().toLowerCase();
  if (!wanted) return [];
  return tasks.filter((task) => task.toLowerCase().includes(wanted)).slice(0, SHOWN);
}
