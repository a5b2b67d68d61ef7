import { plain } from "@/lib/ansi.ts";
import { excerptLines } from "@/lib/excerpt.ts";
import styles from "./Errors.module.css";

/** The lines around a failure, the failing one marked. */
export function Excerpt({ text, line }: { text: string; line: number | null }) {
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <pre className={styles.excerpt} tabIndex={0}>
      {excerptLines(text, line).map((each, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: lines of one text, which never move
        <span key={at} className={styles.line} data-failing={each.failing}>
          {each.number !== null && <span className={styles.number}>{each.number}</span>}
          {plain(each.text)}
          {"\n"}
        </span>
      ))}
    </pre>
  );
}
