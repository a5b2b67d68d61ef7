import { type CSSProperties, memo } from "react";
import { type Look, plain, type Span, spans } from "@/lib/ansi.ts";
import { levelOf } from "@/lib/level.ts";
import { linkified } from "@/lib/linkify.ts";
import { clockOf, type LogLine, occurrences } from "@/lib/logwindow.ts";
import { absolute, utc, zone } from "@/lib/time.ts";
import styles from "./LogRow.module.css";

/** One line: its number, when it was said, what was said. All of it is text. */
export const LogRow = memo(Row, (a, b) => {
  const same = a.line?.text === b.line?.text && a.line?.at === b.line?.at;
  return same && a.needle === b.needle && a.marked === b.marked && a.pick === b.pick;
});

function Row({
  number,
  line,
  needle,
  marked,
  pick,
}: {
  number: number;
  line: LogLine | null;
  needle: string;
  marked: boolean;
  pick?: (line: number, extend: boolean) => void;
}) {
  const text = line?.text ?? "";
  return (
    <div className={styles.row} data-level={levelOf(plain(text)) ?? undefined} data-marked={marked}>
      <button
        type="button"
        className={styles.number}
        tabIndex={-1}
        disabled={!pick}
        aria-label={`Link to line ${number}`}
        onClick={(event) => pick?.(number, event.shiftKey)}
      >
        {number}
      </button>
      {line?.at && (
        <time
          className={styles.at}
          dateTime={line.at}
          title={`${absolute(line.at)} ${zone()}\n${utc(line.at)}`}
        >
          {clockOf(line.at)}
        </time>
      )}
      <span className={styles.text}>
        {spans(text).map((span, at) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text, which never move
          <Piece key={at} span={span} needle={needle} />
        ))}
        {"\n"}
      </span>
    </div>
  );
}

function Piece({ span, needle }: { span: Span; needle: string }) {
  const shown = linkified(span.text).map((piece, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: pieces of one text, which never move
    <Linked key={at} piece={piece} needle={needle} />
  ));
  const style = styleOf(span.look);
  return style ? <span style={style}>{shown}</span> : shown;
}

function Linked({ piece, needle }: { piece: { text: string; href?: string }; needle: string }) {
  const text = <Found text={piece.text} needle={needle} />;
  if (!piece.href) return text;
  return (
    <a href={piece.href} target="_blank" rel="noreferrer noopener">
      {text}
    </a>
  );
}

function Found({ text, needle }: { text: string; needle: string }) {
  const places = occurrences(text, needle);
  if (places.length === 0) return text;
  const parts = [];
  let from = 0;
  for (const [start, end] of places) {
    parts.push(text.slice(from, start), <mark key={start}>{text.slice(start, end)}</mark>);
    from = end;
  }
  return [...parts, text.slice(from)];
}

function styleOf(look: Look): CSSProperties | null {
  if (Object.keys(look).length === 0) return null;
  const [ink, ground] = [colourOf(look.ink), colourOf(look.ground)];
  const lines = [look.underline && "underline", look.struck && "line-through"].filter(Boolean);
  return {
    color: look.inverse ? (ground ?? "var(--bg)") : ink,
    background: look.inverse
      ? (ink ?? "var(--text)")
      : ground && `color-mix(in srgb, ${ground} 30%, transparent)`,
    fontWeight: look.bold ? 600 : undefined,
    opacity: look.dim ? 0.75 : undefined,
    fontStyle: look.italic ? "italic" : undefined,
    textDecoration: lines.join(" ") || undefined,
  };
}

/** A terminal's name is a token; a colour of its own is drawn towards the ink, to be read on both grounds. */
function colourOf(colour: string | undefined): string | undefined {
  if (!colour) return undefined;
  return colour.startsWith("#")
    ? `color-mix(in oklab, ${colour} 65%, var(--text))`
    : `var(--ansi-${colour})`;
}
