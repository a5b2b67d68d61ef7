import { X } from "lucide-react";
import {
  type ReactNode,
  type RefObject,
  useEffect,
  useId,
  useLayoutEffect,
  useRef,
  useState,
} from "react";
import { IconButton } from "./Button.tsx";
import styles from "./Drawer.module.css";

const KEY = "headway.drawer";
const [LEAST, MOST, STEP] = [320, 1100, 24];

/**
 * What is selected, beside the view. It is open because the URL says so: `close` changes the URL.
 * On a narrow screen it covers the view, or lies `below` it, where the view is what one came for.
 */
export function Drawer({
  title,
  children,
  close,
  below = false,
}: {
  title: ReactNode;
  children: ReactNode;
  close: () => void;
  below?: boolean;
}) {
  const [width, setWidth] = useState(remembered);
  const heading = useId();
  useEffect(() => localStorage.setItem(KEY, String(width)), [width]);
  const drawer = useFocusBack();
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key === "Escape" && !event.defaultPrevented && !inside(event.target)) close();
    };
    window.addEventListener("keydown", onKey);
    return () => window.removeEventListener("keydown", onKey);
  }, [close]);
  return (
    <aside
      ref={drawer}
      className={below ? `${styles.drawer} ${styles.below}` : styles.drawer}
      style={{ width }}
      aria-labelledby={heading}
    >
      <Handle width={width} setWidth={(wanted) => setWidth(within(wanted))} />
      <header className={styles.head}>
        <h2 id={heading}>{title}</h2>
        <IconButton label="Close (Esc)" small onClick={close}>
          <X size={16} />
        </IconButton>
      </header>
      <div className={styles.body}>{children}</div>
    </aside>
  );
}

/** When it closes, the focus goes back to what opened it, unless it has gone elsewhere meanwhile. */
function useFocusBack(): RefObject<HTMLElement | null> {
  const drawer = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const opener = document.activeElement;
    const own = drawer.current;
    return () => {
      const now = document.activeElement;
      const lost = now === document.body || own?.contains(now);
      if (lost && opener instanceof HTMLElement && opener.isConnected)
        opener.focus({ preventScroll: true });
    };
  }, []);
  return drawer;
}

function Handle({ width, setWidth }: { width: number; setWidth: (width: number) => void }) {
  return (
    <div
      className={styles.handle}
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the details"
      aria-valuenow={width}
      aria-valuemin={LEAST}
      aria-valuemax={MOST}
      tabIndex={0}
      onKeyDown={(event) => {
        if (event.key === "ArrowLeft") setWidth(width + STEP);
        if (event.key === "ArrowRight") setWidth(width - STEP);
      }}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        event.preventDefault();
      }}
      onPointerMove={(event) => {
        if (!event.currentTarget.hasPointerCapture(event.pointerId)) return;
        setWidth(window.innerWidth - event.clientX);
      }}
    />
  );
}

function remembered(): number {
  return within(Number(localStorage.getItem(KEY)) || 440);
}

function within(width: number): number {
  return Math.round(Math.min(MOST, Math.max(LEAST, width)));
}

/** Escape belongs to what is open above the drawer first. */
function inside(target: EventTarget | null): boolean {
  return (
    target instanceof Element && target.closest("dialog, [role=menu], input, textarea") !== null
  );
}
