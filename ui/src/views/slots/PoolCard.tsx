import { useState } from "react";
import type { PoolSlots } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import { isLent } from "@/lib/remedy.ts";
import { Button } from "@/parts/Button.tsx";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Meter } from "@/parts/Meter.tsx";
import { Card } from "@/parts/Page.tsx";
import { Since } from "@/parts/Time.tsx";
import { Words } from "@/parts/Words.tsx";
import { useMay } from "@/state/session.ts";
import { PoolDialog } from "./PoolDialog.tsx";
import styles from "./Slots.module.css";

export function PoolCard({ pool }: { pool: PoolSlots }) {
  const [resizing, setResizing] = useState(false);
  const mayChange = useMay("pool.write");
  return (
    <Card
      title={pool.name}
      link={
        mayChange &&
        !isLent(pool.name) && (
          <Button small look="quiet" onClick={() => setResizing(true)}>
            Resize
          </Button>
        )
      }
    >
      <div className={styles.use}>
        <div className={styles.summary}>
          <p>
            <span className={styles.figure}>
              {number(pool.used)} of {number(pool.slots)}
            </span>{" "}
            in use
          </p>
          <Meter wide used={pool.used} of={pool.slots} label={`Slots of ${pool.name} in use`} />
          {pool.allotted !== null && (
            <p>
              {isLent(pool.name) ? "Shared by another team" : "Shared with other teams"}: this team
              may use {number(pool.allotted)} now
            </p>
          )}
          <p className={styles.muted}>{counted(pool.waiting, "task")} waiting</p>
        </div>
        {pool.lent_to.length > 0 && (
          <div>
            <h3>Lent to</h3>
            <ul>
              {pool.lent_to.map((loan) => (
                <li key={loan.team}>
                  <span>
                    {loan.team}
                    {loan.revoked && <span className={styles.muted}> until its tasks end</span>}
                  </span>
                  <span className="tabular">
                    {loan.revoked
                      ? number(loan.used)
                      : `${number(loan.used)} of ${number(loan.allotted)}`}
                  </span>
                </li>
              ))}
            </ul>
          </div>
        )}
        <div>
          <h3>Used by</h3>
          <ul>
            {pool.users.length === 0 && <li className={styles.muted}>No runs</li>}
            {pool.users.map((user) => (
              <li key={user.run_id}>
                <span>
                  <DagLink dag={user.dag_id} /> <RunLink run={user.run_id} />
                </span>
                <span className="tabular">{number(user.used)}</span>
              </li>
            ))}
          </ul>
        </div>
        <div>
          <h3>Why tasks wait</h3>
          <ul>
            {pool.queue.length === 0 && <li className={styles.muted}>No tasks are waiting</li>}
            {pool.queue.map((part) => (
              <li key={part.reason}>
                <span>
                  <Words text={part.reason} />{" "}
                  <span className={styles.muted}>
                    <Since at={part.since} />
                  </span>
                </span>
                <span className="tabular">{number(part.count)}</span>
              </li>
            ))}
          </ul>
        </div>
      </div>
      {resizing && <PoolDialog pool={pool} close={() => setResizing(false)} />}
    </Card>
  );
}
