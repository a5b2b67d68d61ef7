import { useState } from "react";
import { brief, type Entry, type Shown } from "@/lib/xcom.ts";
import styles from "./Value.module.css";

const OPEN_AT_ONCE = 12; // entries
const STEP = 100;

/** A value as a tree: what is small stands open, what is large opens on a click, in steps. */
export function Value({ value }: { value: Shown }) {
  return (
    <div className={styles.tree}>
      <Node entry={{ name: null, value }} depth={0} />
    </div>
  );
}

function Node({ entry, depth }: { entry: Entry; depth: number }) {
  const { name, value } = entry;
  const label = name === null ? null : <span className={styles.name}>{name}: </span>;
  if (value.shape === "atom") {
    return (
      <div className={styles.line}>
        {label}
        <span className={styles[value.kind]}>{value.text}</span>
      </div>
    );
  }
  if (value.entries.length === 0) {
    return (
      <div className={styles.line}>
        {label}
        {value.open}
        {value.close}
      </div>
    );
  }
  return <Many value={value} label={label} depth={depth} />;
}

function Many({
  value,
  label,
  depth,
}: {
  value: Extract<Shown, { shape: "many" }>;
  label: React.ReactNode;
  depth: number;
}) {
  const [open, setOpen] = useState(depth < 2 && value.entries.length <= OPEN_AT_ONCE);
  const [most, setMost] = useState(STEP);
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className={styles.line}>
        {label}
        {open ? value.open : <span className={styles.brief}>{brief(value, 80)}</span>}
      </summary>
      {open && (
        <div className={styles.entries}>
          {value.entries.slice(0, most).map((entry, at) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: entries of one value, which never move
            <Node key={at} entry={entry} depth={depth + 1} />
          ))}
          {value.entries.length > most && (
            <button type="button" className={styles.more} onClick={() => setMost(most + STEP)}>
              {(value.entries.length - most).toLocaleString("en-US")} more
            </button>
          )}
        </div>
      )}
      {open && <div className={styles.line}>{value.close}</div>}
    </details>
  );
}
