import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";
import { languageOf, linesOf, type Token } from "@/lib/code/tokens.ts";
import styles from "./Code.module.css";

const LINE = 20;

/** A file to read: its lines with their numbers, one of them pointed at. */
export function CodeLines({ file, text, line }: { file: string; text: string; line?: number }) {
  const scroller = useRef<HTMLDivElement>(null);
  const lines = useMemo(() => linesOf(text, languageOf(file)), [file, text]);
  const virtual = useVirtualizer({
    count: lines.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => LINE,
    overscan: 30,
  });
  useEffect(() => {
    if (line) virtual.scrollToIndex(line - 1, { align: "center" });
  }, [line, virtual]);
  const digits = String(lines.length).length;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div ref={scroller} className={styles.code} tabIndex={0} role="region" aria-label={file}>
      <div className={styles.lines} style={{ height: virtual.getTotalSize() }}>
        {virtual.getVirtualItems().map(({ index, start }) => (
          <div
            key={index}
            className={styles.line}
            data-here={index + 1 === line}
            style={{ transform: `translateY(${start}px)` }}
          >
            <span className={styles.gutter} style={{ width: `${digits + 3}ch` }}>
              {index + 1}
            </span>
            <Tokens tokens={lines[index] ?? []} />
          </div>
        ))}
      </div>
    </div>
  );
}

export function Tokens({ tokens }: { tokens: readonly Token[] }) {
  return (
    <code>
      {tokens.map((token, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: tokens of a line have no other name
        <span key={at} className={styles[token.kind]}>
          {token.text}
        </span>
      ))}
    </code>
  );
}
