import type { Diagnosis } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import type { Selection } from "@/lib/selection.ts";
import { byGroup } from "@/lib/tasks.ts";
import { Button } from "@/parts/Button.tsx";
import { Card } from "@/parts/Page.tsx";
import { Words } from "@/parts/Words.tsx";
import styles from "./RunPage.module.css";

const LISTED_MAX = 8; // more are told by their groups first

interface Props {
  blocked: Diagnosis["blocked"];
  select: (next: Selection) => void;
}

/** What did not run because of it: by groups, where it is much. */
export function Blocked({ blocked, select }: Props) {
  return (
    <Card title="Blocked tasks">
      {blocked.length > LISTED_MAX ? (
        <details>
          <summary className={styles.groups}>
            {byGroup(blocked.map((task) => task.task_id))
              .map(({ name, tasks }) =>
                tasks.length > 1 ? `${name} (${number(tasks.length)})` : name,
              )
              .join(", ")}
          </summary>
          <List blocked={blocked} select={select} />
        </details>
      ) : (
        <List blocked={blocked} select={select} />
      )}
    </Card>
  );
}

function List({ blocked, select }: Props) {
  return (
    <ul className={styles.rows}>
      {blocked.map(({ task_id, count, reason }) => (
        <li key={task_id}>
          <Button small flush look="quiet" onClick={() => select({ task: task_id })}>
            <code>{task_id}</code>
          </Button>
          {count > 1 && <span className="tabular">×{number(count)}</span>}
          <span className={styles.reason}>
            <Words text={reason ?? ""} />
          </span>
        </li>
      ))}
    </ul>
  );
}
