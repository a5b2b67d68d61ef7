import { CaseSensitive, Regex, Search } from "lucide-react";
import { type FormEvent, useCallback, useEffect, useState } from "react";
import { RUN_STATES } from "@/lib/states.ts";
import { absolute } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { FilterBar, FilterChip, FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { StateBadge } from "@/parts/State.tsx";
import styles from "./LogSearch.module.css";
import { PERIODS, type Wish } from "./wish.ts";

const STATES = RUN_STATES.map((state) => ({ value: state, shown: <StateBadge state={state} /> }));

type Set = (change: Wish) => void;

/** What is looked for, asked on Enter: to read every log for each letter that is typed helps nobody. */
export function Question({ wish, set }: { wish: Wish; set: Set }) {
  const [typed, setTyped] = useState(wish.q ?? "");
  useEffect(() => setTyped(wish.q ?? ""), [wish.q]);
  function submit(event: FormEvent) {
    event.preventDefault();
    set({ q: typed.trim() ? typed : undefined });
  }
  return (
    <>
      <form className={styles.question} onSubmit={submit}>
        <input
          type="search"
          className={styles.text}
          aria-label={wish.regex ? "Regular expression" : "Text in any log"}
          placeholder={wish.regex ? "timed? ?out|deadlock" : "timed out"}
          value={typed}
          onChange={(event) => setTyped(event.target.value)}
          spellCheck={false}
          autoCapitalize="off"
        />
        <Button type="submit" look="primary">
          <Search size={14} aria-hidden />
          Search
        </Button>
      </form>
      <FilterBar>
        <Meaning wish={wish} set={set} />
        {wish.run ? (
          <FilterChip label="Run" value={wish.run} away={() => set({ run: undefined })} />
        ) : (
          <Runs wish={wish} set={set} />
        )}
      </FilterBar>
    </>
  );
}

/** How the text is meant. */
function Meaning({ wish, set }: { wish: Wish; set: Set }) {
  return (
    <span className={styles.meaning}>
      <Button
        small
        aria-pressed={wish.regex ?? false}
        onClick={() => set({ regex: wish.regex ? undefined : true })}
      >
        <Regex size={14} aria-hidden />
        Regex
      </Button>
      <Button
        small
        aria-pressed={wish.case ?? false}
        title="Match case"
        onClick={() => set({ case: wish.case ? undefined : true })}
      >
        <CaseSensitive size={14} aria-hidden />
        Match case
      </Button>
    </span>
  );
}

/** Which runs, and of them which task. */
function Runs({ wish, set }: { wish: Wish; set: Set }) {
  const setDag = useCallback((dag: string) => set({ dag: dag || undefined }), [set]);
  const setTask = useCallback((task: string) => set({ task: task || undefined }), [set]);
  const { from, to } = wish;
  const isPeriod = PERIODS.some(({ value }) => value === from);
  return (
    <>
      <FilterText label="DAG…" value={wish.dag ?? ""} onChange={setDag} />
      <FilterText label="Task…" value={wish.task ?? ""} onChange={setTask} />
      <FilterChoice
        label="State"
        value={wish.state}
        options={STATES}
        onChange={(state) => set({ state })}
      />
      {from && !isPeriod ? (
        <FilterChip label="From" value={absolute(from)} away={() => set({ from: undefined })} />
      ) : (
        <FilterChoice
          label="Time"
          value={from}
          options={PERIODS}
          onChange={(chosen) => set({ from: chosen })}
        />
      )}
      {to && <FilterChip label="Until" value={absolute(to)} away={() => set({ to: undefined })} />}
    </>
  );
}
