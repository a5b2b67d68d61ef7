import { Maximize, Minus, Plus } from "lucide-react";
import { IconButton } from "@/parts/Button.tsx";
import { useShortcuts } from "@/state/keyboard.ts";
import styles from "./Graph.module.css";

export function ViewTools({ zoom, fit }: { zoom: (factor: number) => void; fit: () => void }) {
  useShortcuts([
    { keys: "+", does: "Nearer", run: () => zoom(1.25) },
    { keys: "-", does: "Farther", run: () => zoom(0.8) },
    { keys: "0", does: "Zoom", run: fit },
  ]);
  return (
    <div className={styles.view}>
      <IconButton small label="Zoom in (+)" onClick={() => zoom(1.25)}>
        <Plus size={15} />
      </IconButton>
      <IconButton small label="Zoom out (−)" onClick={() => zoom(0.8)}>
        <Minus size={15} />
      </IconButton>
      <IconButton small label="Fit to screen (0)" onClick={fit}>
        <Maximize size={14} />
      </IconButton>
    </div>
  );
}
