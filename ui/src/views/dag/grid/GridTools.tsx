import { ChevronsDownUp, ChevronsUpDown, History, ZoomIn, ZoomOut } from "lucide-react";
import { stateWord } from "@/lib/states.ts";
import { Button, IconButton } from "@/parts/Button.tsx";
import { StateIcon } from "@/parts/State.tsx";
import styles from "./Grid.module.css";
import { ZOOMS } from "./geometry.ts";

interface Props {
  states: readonly string[];
  cell: number;
  setCell: (cell: number) => void;
  grouped: boolean;
  folded: boolean;
  foldAll: (fold: boolean) => void;
  older: (() => void) | null;
  loading: boolean;
}

/** Above the grid: what the colours mean, size, folding, older runs. */
export function GridTools(props: Props) {
  const at = ZOOMS.findIndex((zoom) => zoom >= props.cell);
  const [smaller, larger] = [ZOOMS[at - 1], ZOOMS[at + 1]];
  return (
    <div className={styles.tools} role="toolbar" aria-label="Grid">
      <div className={styles.legend}>
        {props.states.map((state) => (
          <span key={state}>
            <StateIcon state={state} size={14} />
            {stateWord(state)}
          </span>
        ))}
      </div>
      {props.grouped && (
        <IconButton
          small
          label={props.folded ? "Expand all groups" : "Collapse all groups"}
          onClick={() => props.foldAll(!props.folded)}
        >
          {props.folded ? <ChevronsUpDown size={15} /> : <ChevronsDownUp size={15} />}
        </IconButton>
      )}
      <IconButton
        small
        label="Smaller cells"
        disabled={smaller === undefined}
        onClick={() => smaller && props.setCell(smaller)}
      >
        <ZoomOut size={15} />
      </IconButton>
      <IconButton
        small
        label="Larger cells"
        disabled={larger === undefined}
        onClick={() => larger && props.setCell(larger)}
      >
        <ZoomIn size={15} />
      </IconButton>
      <Button small disabled={!props.older || props.loading} onClick={() => props.older?.()}>
        <History size={14} aria-hidden />
        Older runs
      </Button>
    </div>
  );
}
