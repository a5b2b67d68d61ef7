import { hinted } from "@/lib/sentence.ts";
import styles from "./Notice.module.css";
import { Words } from "./Words.tsx";

/** What to do next: a sentence of the server's, in which commands stand out. */
export function Hint({ text }: { text: string }) {
  return (
    <p className={styles.hint}>
      <Words text={hinted(text)} />
    </p>
  );
}
