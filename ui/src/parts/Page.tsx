import { type ReactNode, useEffect } from "react";
import styles from "./Page.module.css";

/** A page: its name, a line about it, what can be done with all of it; then its content. */
export function Page({
  title,
  heading,
  note,
  actions,
  loading = false,
  children,
}: {
  title: string;
  /** Where it is more than the title's text. */
  heading?: ReactNode;
  note?: ReactNode;
  actions?: ReactNode;
  /** The note is not known yet: what it will be is new then, and does not move from where it was awaited. */
  loading?: boolean;
  children: ReactNode;
}) {
  useEffect(() => {
    document.title = `${title} · Headway`;
  }, [title]);
  return (
    <div className={styles.page}>
      <header className={styles.head}>
        <h1>{heading ?? title}</h1>
        {actions && <div className={styles.actions}>{actions}</div>}
        {note && (
          <div key={loading ? "loading" : "known"} className={styles.note}>
            {note}
          </div>
        )}
      </header>
      {children}
    </div>
  );
}

/** Content that scrolls, with the page's margins. Tables do without: they reach the edges. */
export function PageBody({ children }: { children: ReactNode }) {
  return (
    <div className={styles.body}>
      <div className={styles.inner}>{children}</div>
    </div>
  );
}

export function Card({
  title,
  link,
  children,
}: {
  title: string;
  link?: ReactNode;
  children: ReactNode;
}) {
  return (
    <section className={styles.card}>
      <header className={styles.cardHead}>
        <h2>{title}</h2>
        {link}
      </header>
      {children}
    </section>
  );
}
