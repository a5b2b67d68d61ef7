import Markdown from "markdown-to-jsx/react";
import styles from "./Doc.module.css";

const OPTIONS = {
  disableParsingRawHTML: true, // a DAG's author is not the reader's friend by nature
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

/** The documentation that the DAG's author wrote, in Markdown. */
export default function Doc({ text }: { text: string }) {
  return (
    <div className={styles.doc}>
      <Markdown options={OPTIONS}>{text}</Markdown>
    </div>
  );
}
