import { ChevronsDownUp, ChevronsUpDown } from "lucide-react";
import { counted } from "@/lib/count.ts";
import type { Focus } from "@/lib/graph/focus.ts";
import type { Near } from "@/lib/graph/near.ts";
import { Button, IconButton } from "@/parts/Button.tsx";
import { FindTask } from "./FindTask.tsx";
import styles from "./Graph.module.css";

interface Props {
  boxes: number;
  tasks: readonly string[];
  find: (task: string) => void;
  around: Near | null;
  /** Only what lies around the selected task, or all of it. */
  setOnly: (only: boolean) => void;
  quick: boolean;
  groups: readonly string[];
  open: ReadonlySet<string>;
  setOpen: (groups: Iterable<string>) => void;
  focus: Focus | undefined;
  setFocus: (focus: Focus | undefined) => void;
  focusable: boolean;
  busy: boolean;
}

const CHOICES: readonly [Focus | undefined, string][] = [
  [undefined, "Everything"],
  ["upstream", "Upstream"],
  ["downstream", "Downstream"],
  ["both", "Both"],
];

/** Above the graph: how much there is, what of it is bright, groups open or closed. */
export function GraphTools(props: Props) {
  const anyOpen = props.groups.some((group) => props.open.has(group));
  return (
    <div className={styles.tools} role="toolbar" aria-label="Graph">
      <span className={styles.count}>
        {counted(props.tasks.length, "task")}
        {props.boxes !== props.tasks.length && ` in ${counted(props.boxes, "box", "boxes")}`}
        {props.around && ` · ${aroundWords(props.around)}`}
        {props.busy && " · laying out…"}
        {props.quick && " · quick layout: some arrows may cross"}
      </span>
      <FindTask tasks={props.tasks} choose={props.find} />
      {props.focusable && (
        <Button
          small
          look="quiet"
          aria-pressed={props.around !== null}
          onClick={() => props.setOnly(props.around === null)}
        >
          Only nearby tasks
        </Button>
      )}
      <fieldset className={styles.focus} aria-label="Highlight" disabled={!props.focusable}>
        {CHOICES.map(([focus, word]) => (
          <Button
            key={word}
            small
            look="quiet"
            aria-pressed={props.focus === focus}
            title={props.focusable ? undefined : "Select a task first"}
            onClick={() => props.setFocus(focus)}
          >
            {word}
          </Button>
        ))}
      </fieldset>
      {props.groups.length > 0 && (
        <IconButton
          small
          label={anyOpen ? "Collapse all groups" : "Expand all groups"}
          onClick={() => props.setOpen(anyOpen ? [] : props.groups)}
        >
          {anyOpen ? <ChevronsDownUp size={15} /> : <ChevronsUpDown size={15} />}
        </IconButton>
      )}
    </div>
  );
}

function aroundWords({ picture, steps, cut }: Near): string {
  const drawn = `${counted(picture.boxes.length, "box", "boxes")} around the selected task`;
  return cut ? `${drawn}, up to ${counted(steps, "step")} away` : drawn;
}
