import { Dialog } from "@/parts/Dialog.tsx";
import type { Shortcut } from "@/state/keyboard.ts";
import styles from "./KeyboardHelp.module.css";

// What the views themselves understand; told here so that one place tells all.
const IN_VIEWS: readonly Pick<Shortcut, "keys" | "does">[] = [
  { keys: "← ↑ ↓ →", does: "Move in the grid" },
  { keys: "Enter", does: "Open the selected item" },
  { keys: "Esc", does: "Close the details" },
  { keys: "r", does: "Retry the selected task or run" },
  { keys: "c", does: "Clear the selected task or run" },
  { keys: "l", does: "Open the log" },
  { keys: "j", does: "Next error of the run" },
  { keys: "k", does: "Previous error of the run" },
  { keys: "[", does: "Previous run of the DAG" },
  { keys: "]", does: "Next run of the DAG" },
];

export function KeyboardHelp({
  shortcuts,
  close,
}: {
  shortcuts: readonly Shortcut[];
  close: () => void;
}) {
  return (
    <Dialog title="Keys" close={close} wide>
      <div className={styles.groups}>
        <Keys name="Everywhere" shortcuts={shortcuts} />
        <Keys name="In a DAG or a run" shortcuts={IN_VIEWS} />
      </div>
    </Dialog>
  );
}

function Keys({
  name,
  shortcuts,
}: {
  name: string;
  shortcuts: readonly Pick<Shortcut, "keys" | "does">[];
}) {
  return (
    <section>
      <h3 className={styles.group}>{name}</h3>
      <dl className={styles.keys}>
        {shortcuts.map(({ keys, does }) => (
          <div key={keys} style={{ display: "contents" }}>
            <dt>{does}</dt>
            <dd>
              {keys.split(" ").map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
