import Markdown from "markdown-to-jsx/react";
import styles from "./Markdown.module.css";

const OPTIONS = {
  disableParsingRawHTML: true, // who wrote a DAG is not the reader's friend by nature
  forceBlock: true,
  forceWrapper: true,
  wrapper: "div",
  overrides: {
    a: { props: { target: "_blank", rel: "noreferrer noopener" } },
    img: () => null, // it would tell another server who reads
    h1: "h3",
    h2: "h4",
  },
} as const;

/** Markdown that the author of a DAG wrote, without HTML and images. */
export default function Rendered({ text }: { text: string }) {
  return (
    <div className={styles.doc}>
      <Markdown options={OPTIONS}>{text}</Markdown>
    </div>
  );
}
