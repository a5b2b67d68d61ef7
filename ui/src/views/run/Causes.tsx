import { causesOf } from "@/lib/causes.ts";
import styles from "./Errors.module.css";

/** The notes of an error, the exceptions of a group, and what caused it, back to the root. */
export function Causes({ detail }: { detail: string }) {
  const causes = causesOf(detail);
  if (causes.length === 0) return null;
  return (
    <ul className={styles.causes} aria-label="Causes">
      {causes.map(({ word, error, place }, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text, which never move
        <li key={at}>
          {word} {word === "note:" ? error : <code>{error}</code>}
          {place && ` in ${place}`}
        </li>
      ))}
    </ul>
  );
}
