import { Fragment } from "react";
import styles from "./Notice.module.css";

/** A command whose lines break between words, not within `--from`. */
export function Unbroken({ text }: { text: string }) {
  return text.split(" ").map((word, at) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: words of a text that stays as it is
    <Fragment key={at}>
      {at > 0 && " "}
      <span className={styles.word}>{word}</span>
    </Fragment>
  ));
}

/** A name whose lines break after a dot, an underscore or a slash, if they have to. */
export function Name({ text }: { text: string }) {
  return (
    <span>
      {text.split(/(?<=[._/])/).map((part, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: parts of a name, which never move
        <Fragment key={at}>
          {part}
          <wbr />
        </Fragment>
      ))}
    </span>
  );
}
