import { useMemo } from "react";
import { counted } from "@/lib/count.ts";
import { changedLines, type Hunk, hunksOf, type Line, pairsOf } from "@/lib/diff/unified.ts";
import { Button } from "@/parts/Button.tsx";
import styles from "./Versions.module.css";

interface Props {
  file: string;
  diff: string;
  split: boolean;
  setSplit: (split: boolean) => void;
}

/** A file as it was and as it is, one below the other or side by side. */
export function SourceDiff({ file, diff, split, setSplit }: Props) {
  const hunks = useMemo(() => hunksOf(diff), [diff]);
  if (hunks.length === 0) return <p className={styles.same}>The source is the same.</p>;
  const { added, removed } = changedLines(hunks);
  return (
    <section aria-label={`Source of ${file}`}>
      <div className={styles.diffHead}>
        <code>{file}</code>
        <span>
          {counted(added, "line")} added, {removed} removed
        </span>
        <Button small look="quiet" aria-pressed={!split} onClick={() => setSplit(false)}>
          Unified
        </Button>
        <Button small look="quiet" aria-pressed={split} onClick={() => setSplit(true)}>
          Side by side
        </Button>
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div className={styles.diff} tabIndex={0} role="region" aria-label={`Differences of ${file}`}>
        <table className={split ? styles.split : undefined}>
          {split && (
            <colgroup>
              <col className={styles.number} />
              <col />
              <col className={styles.number} />
              <col />
            </colgroup>
          )}
          {hunks.map((hunk) => (
            <tbody key={`${hunk.lines[0]?.old} ${hunk.lines[0]?.new}`}>
              <Skipped hunk={hunk} span={split ? 4 : 3} />
              {split ? <Split hunk={hunk} /> : <Unified hunk={hunk} />}
            </tbody>
          ))}
        </table>
      </div>
    </section>
  );
}

function Skipped({ hunk, span }: { hunk: Hunk; span: number }) {
  if (hunk.skipped === 0) return null;
  return (
    <tr className={styles.skipped}>
      <td colSpan={span}>{counted(hunk.skipped, "line")} alike</td>
    </tr>
  );
}

const SIGN = { same: " ", added: "+", removed: "−" } as const;

function Unified({ hunk }: { hunk: Hunk }) {
  return hunk.lines.map((line) => (
    <tr key={`${line.old} ${line.new}`} data-kind={line.kind}>
      <td className={styles.number}>{line.old}</td>
      <td className={styles.number}>{line.new}</td>
      <td className={styles.text}>
        <span className={styles.sign}>{SIGN[line.kind]}</span>
        {line.text}
      </td>
    </tr>
  ));
}

function Split({ hunk }: { hunk: Hunk }) {
  return pairsOf(hunk.lines).map(({ left, right }) => (
    <tr key={`${left?.old} ${right?.new}`}>
      <Side line={left} number={left?.old} />
      <Side line={right} number={right?.new} />
    </tr>
  ));
}

function Side({ line, number }: { line: Line | null; number: number | null | undefined }) {
  const kind = line?.kind ?? "none";
  return (
    <>
      <td className={styles.number} data-kind={kind}>
        {number}
      </td>
      <td className={styles.text} data-kind={kind}>
        {line && (
          <>
            <span className={styles.sign}>{SIGN[line.kind]}</span>
            {line.text}
          </>
        )}
      </td>
    </>
  );
}
