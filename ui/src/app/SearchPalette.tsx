import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useRouter } from "@tanstack/react-router";
import { type KeyboardEvent, useDeferredValue, useState } from "react";
import { search } from "@/api/queries.ts";
import { Dialog } from "@/parts/Dialog.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { useTeam } from "@/state/session.ts";
import styles from "./SearchPalette.module.css";
import { type Found, LOGS, results } from "./searchResults.ts";

/** Everything by its name: arrow keys choose, Enter goes there. */
export function SearchPalette({ close }: { close: () => void }) {
  const team = useTeam();
  const router = useRouter();
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const answer = useQuery({
    ...search(useDeferredValue(query)),
    placeholderData: keepPreviousData,
  });
  const found = results(query, team, answer.data);
  const chosen = Math.min(at, found.length - 1);

  function go(item: Found | undefined) {
    if (!item) return;
    close();
    router.history.push(item.href);
  }

  function onKey(event: KeyboardEvent) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) setAt((chosen + step + found.length) % Math.max(1, found.length));
    else if (event.key === "Enter") go(found[chosen]);
    else return;
    event.preventDefault();
  }

  return (
    <Dialog title="Search" close={close}>
      <input
        className={styles.input}
        role="combobox"
        aria-label="Search DAGs, runs, tasks and pages"
        aria-expanded
        aria-controls="search-results"
        aria-activedescendant={found[chosen] && `search-${chosen}`}
        placeholder="DAGs, runs, tasks, pages"
        value={query}
        onChange={(event) => {
          setQuery(event.target.value);
          setAt(0);
        }}
        onKeyDown={onKey}
        spellCheck={false}
      />
      <div id="search-results" className={styles.results} role="listbox" aria-label="Results">
        {found.map((item, index) => (
          // biome-ignore lint/a11y/useKeyWithClickEvents: the keys are those of the field above
          <div
            key={item.key}
            id={`search-${index}`}
            role="option"
            tabIndex={-1}
            aria-selected={index === chosen}
            className={styles.item}
            onClick={() => go(item)}
            onPointerMove={() => setAt(index)}
          >
            {item.state && <StateIcon state={item.state} />}
            <span className={styles.word}>{item.word}</span>
            <span className={styles.kind}>{item.kind}</span>
          </div>
        ))}
      </div>
      {found.every(({ kind }) => kind === LOGS) && (
        <p className={styles.none}>Nothing is called “{query}”.</p>
      )}
    </Dialog>
  );
}
