import { ChevronDown, X } from "lucide-react";
import { type ReactNode, useEffect, useState } from "react";
import { Button } from "./Button.tsx";
import styles from "./FilterBar.module.css";
import { Menu, MenuCheck } from "./Menu.tsx";

const PAUSE_MS = 180;

/** Above a list: what of it is shown. Every choice lives in the URL. */
export function FilterBar({ children }: { children: ReactNode }) {
  return (
    <search className={styles.bar} aria-label="Filter">
      {children}
    </search>
  );
}

export function FilterSpace() {
  return <span className={styles.grow} />;
}

/** Words to look for; told on when the typing pauses. */
export function FilterText({
  value,
  label,
  onChange,
}: {
  value: string;
  label: string;
  onChange: (value: string) => void;
}) {
  const [typed, setTyped] = useState(value);
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed === value) return;
    const timer = setTimeout(() => onChange(typed), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, value, onChange]);
  return (
    <input
      type="search"
      className={styles.text}
      placeholder={label}
      aria-label={label}
      value={typed}
      onChange={(event) => setTyped(event.target.value)}
      spellCheck={false}
    />
  );
}

/** What a link has narrowed the list to; it can only be taken away. */
export function FilterChip({
  label,
  value,
  away,
}: {
  label: string;
  value: string;
  away: () => void;
}) {
  return (
    <Button small onClick={away} title={`Any ${label}`}>
      {label}
      <span className={styles.chosen}>{value}</span>
      <X size={14} aria-hidden />
      <span className="sr-only">: remove this filter</span>
    </Button>
  );
}

/** One of a few, or none. */
export function FilterChoice<V extends string>({
  label,
  value,
  options,
  onChange,
}: {
  label: string;
  value: V | undefined;
  options: readonly { value: V; shown: ReactNode }[];
  onChange: (value: V | undefined) => void;
}) {
  const chosen = options.find((option) => option.value === value);
  return (
    <>
      <Menu
        align="start"
        trigger={
          <Button small>
            {label}
            {value !== undefined && <span className={styles.chosen}>{chosen?.shown ?? value}</span>}
            <ChevronDown size={14} aria-hidden />
          </Button>
        }
      >
        {options.map((option) => (
          <MenuCheck
            key={option.value}
            checked={option.value === value}
            onChange={(on) => onChange(on ? option.value : undefined)}
          >
            {option.shown}
          </MenuCheck>
        ))}
      </Menu>
      {value !== undefined && (
        <Button small look="quiet" aria-label={`Any ${label}`} onClick={() => onChange(undefined)}>
          <X size={14} />
        </Button>
      )}
    </>
  );
}
