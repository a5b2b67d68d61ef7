import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";
import { IconButton } from "./Button.tsx";
import styles from "./CopyText.module.css";
import { Unbroken } from "./Unbroken.tsx";

const SHOWN_MS = 1_500;

/** Words and a button that copies them; the words themselves can be selected. */
export function CopyText({ text, shown }: { text: string; shown?: string }) {
  return (
    <span className={styles.copy}>
      <code title={text}>
        <Unbroken text={shown ?? text} />
      </code>
      <CopyButton text={text} />
    </span>
  );
}

export function CopyButton({ text }: { text: string }) {
  const [copied, setCopied] = useState(false);
  useEffect(() => {
    if (!copied) return;
    const timer = setTimeout(() => setCopied(false), SHOWN_MS);
    return () => clearTimeout(timer);
  }, [copied]);
  return (
    <IconButton
      small
      label={copied ? "Copied" : "Copy"}
      onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
    >
      {copied ? <Check size={14} /> : <Copy size={14} />}
    </IconButton>
  );
}
