import { Minus, Pencil, Plus } from "lucide-react";
import { type Change, type Sentence, sentenceOf } from "@/lib/diff/words.ts";
import styles from "./Versions.module.css";

const SIGNS = { added: Plus, removed: Minus, changed: Pencil } as const;

/** What is different in the spec, in words. */
export function Changes({ changes }: { changes: readonly Change[] }) {
  if (changes.length === 0)
    return (
      <p className={styles.same}>Nothing in the spec: the same tasks, schedule and parameters.</p>
    );
  return (
    <ul className={styles.changes}>
      {changes.map((change) => (
        <Item key={`${change.what} ${change.path}`} sentence={sentenceOf(change)} />
      ))}
    </ul>
  );
}

function Item({ sentence }: { sentence: Sentence }) {
  const Sign = SIGNS[sentence.kind];
  return (
    <li data-kind={sentence.kind}>
      <Sign size={14} aria-hidden />
      <span>
        <code>{sentence.subject}</code> {sentence.words}
      </span>
    </li>
  );
}
