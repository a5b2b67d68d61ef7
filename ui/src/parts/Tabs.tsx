import type { ReactNode } from "react";
import styles from "./Tabs.module.css";

/** Views of one thing, each a link with the class `tabClass`; the router marks the current one. */
export function Tabs({ label, children }: { label: string; children: ReactNode }) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {children}
    </nav>
  );
}

export const tabClass = styles.tab ?? "";
