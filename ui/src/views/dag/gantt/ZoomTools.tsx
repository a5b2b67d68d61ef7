import { Maximize, ZoomIn, ZoomOut } from "lucide-react";
import { movedBy, type Span, zoomedBy } from "@/lib/gantt/zoom.ts";
import { IconButton } from "@/parts/Button.tsx";
import { useShortcuts } from "@/state/keyboard.ts";
import styles from "./Gantt.module.css";

/** Nearer, farther and all of it, by button and by key. */
export function ZoomTools({
  whole,
  part,
  show,
}: {
  whole: Span;
  part: Span | null;
  show: (part: Span) => void;
}) {
  const seen = part ?? whole;
  const zoom = (factor: number) => show(zoomedBy(seen, factor, (seen.from + seen.to) / 2));
  const all = () => show(whole);
  useShortcuts([
    { keys: "+", does: "Nearer", run: () => zoom(0.5) },
    { keys: "-", does: "Farther", run: () => zoom(2) },
    { keys: "0", does: "Show the whole run", run: all },
    { keys: ",", does: "Earlier", run: () => show(movedBy(seen, -0.5, whole)) },
    { keys: ".", does: "Later", run: () => show(movedBy(seen, 0.5, whole)) },
  ]);
  return (
    <fieldset className={styles.orders} aria-label="Time">
      <IconButton small label="Zoom in (+)" onClick={() => zoom(0.5)}>
        <ZoomIn size={15} />
      </IconButton>
      <IconButton small label="Zoom out (−)" disabled={!part} onClick={() => zoom(2)}>
        <ZoomOut size={15} />
      </IconButton>
      <IconButton small label="Show the whole run (0)" disabled={!part} onClick={all}>
        <Maximize size={14} />
      </IconButton>
    </fieldset>
  );
}
