import { X } from "lucide-react";
import { type ReactNode, useId, useLayoutEffect, useRef } from "react";
import { IconButton } from "./Button.tsx";
import styles from "./Dialog.module.css";

interface Props {
  title: string;
  children: ReactNode;
  /** The buttons at the bottom, the one that does it last. */
  foot?: ReactNode;
  wide?: boolean;
  close: () => void;
}

// Where the focus begins: what is asked for, else the button that changes nothing.
const FIRST = "input:not([type=hidden]), select, textarea, footer button";

/**
 * Modal while mounted: the browser's own dialog keeps the focus inside, ends on Escape, and gives
 * the focus back.
 */
export function Dialog({ title, children, foot, wide, close }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  const body = useRef<HTMLDivElement>(null);
  const heading = useId();
  // A layout effect: its end comes while the dialog is still in the document, and the browser gives the focus back.
  useLayoutEffect(() => {
    const element = dialog.current;
    if (element && !element.open) {
      element.showModal();
      (element.querySelector<HTMLElement>(FIRST) ?? body.current)?.focus();
    }
    return () => element?.close();
  }, []);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes it; the click is one on the backdrop
    <dialog
      ref={dialog}
      className={`${styles.dialog} ${wide ? styles.wide : ""}`}
      aria-labelledby={heading}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => event.target === dialog.current && close()}
    >
      <header className={styles.head}>
        <h2 id={heading}>{title}</h2>
        <IconButton label="Close" small onClick={close}>
          <X size={16} />
        </IconButton>
      </header>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <div ref={body} className={styles.body} tabIndex={0}>
        {children}
      </div>
      {foot && <footer className={styles.foot}>{foot}</footer>}
    </dialog>
  );
}
