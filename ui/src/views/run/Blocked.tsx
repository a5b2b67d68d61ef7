import type { Diagnosis } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import type { Selection } from "@/lib/selection.ts";
import { Button } from "@/parts/Button.tsx";
import { Card } from "@/parts/Page.tsx";
import { Words } from "@/parts/Words.tsx";
import styles from "./RunPage.module.css";

/** What did not run because of it. */
export function Blocked({
  blocked,
  select,
}: {
  blocked: Diagnosis["blocked"];
  select: (next: Selection) => void;
}) {
  return (
    <Card title="Blocked tasks">
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
    </Card>
  );
}
