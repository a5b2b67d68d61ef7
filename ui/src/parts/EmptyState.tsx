import type { ReactNode } from "react";
import { CopyButton } from "./CopyText.tsx";
import styles from "./Notice.module.css";
import { Unbroken } from "./Unbroken.tsx";

/** Nothing here yet: what will be here, and the one command or button that fills it. */
export function EmptyState({
  title,
  children,
  command,
  action,
}: {
  title: string;
  children?: ReactNode;
  command?: string;
  action?: ReactNode;
}) {
  return (
    <div className={styles.notice}>
      <p className={styles.title}>{title}</p>
      {children && <div className={styles.body}>{children}</div>}
      {(command || action) && (
        <div className={styles.actions}>
          {action}
          {command && <Command text={command} />}
        </div>
      )}
    </div>
  );
}

/** A command to copy. Its lines break between words, not within `--from`. */
export function Command({ text }: { text: string }) {
  return (
    <span className={styles.command}>
      <code>
        <Unbroken text={text} />
      </code>
      <CopyButton text={text} />
    </span>
  );
}
