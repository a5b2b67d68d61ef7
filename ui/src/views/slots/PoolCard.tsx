import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { path, request } from "@/api/request.ts";
import type { Pool, PoolSlots } from "@/api/types.ts";
import { counted, number } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { Meter } from "@/parts/Meter.tsx";
import { Card } from "@/parts/Page.tsx";
import { Words } from "@/parts/Words.tsx";
import { useMay } from "@/state/session.ts";
import { say } from "@/state/toasts.ts";
import styles from "./Slots.module.css";

export function PoolCard({ pool }: { pool: PoolSlots }) {
  const [resizing, setResizing] = useState(false);
  const mayChange = useMay("admin");
  return (
    <Card
      title={pool.name}
      link={
        mayChange && (
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
          <p className={styles.muted}>{counted(pool.waiting, "task")} waiting</p>
        </div>
        <div>
          <h3>Used by</h3>
          <ul>
            {pool.users.length === 0 && <li className={styles.muted}>nobody</li>}
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
          <h3>Waiting for</h3>
          <ul>
            {pool.queue.length === 0 && <li className={styles.muted}>nothing waits</li>}
            {pool.queue.map((part) => (
              <li key={part.reason}>
                <span>
                  <Words text={part.reason} />
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

export function NewPool() {
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>
        <Plus size={14} aria-hidden />
        New pool
      </Button>
      {open && <PoolDialog close={() => setOpen(false)} />}
    </>
  );
}

/** Make a pool, or give one another size. */
function PoolDialog({ pool, close }: { pool?: Pool; close: () => void }) {
  const [name, setName] = useState(pool?.name ?? "");
  const [size, setSize] = useState(String(pool?.slots ?? 8));
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: () =>
      request<Pool>(path`/pools/${name}`, { method: "PUT", body: { slots: Number(size) } }),
    onSuccess: () => {
      queries.invalidateQueries({ queryKey: ["slots"] });
      say("done", `${name} has ${counted(Number(size), "slot")}`);
      close();
    },
  });
  const wrong = /^\d+$/.test(size) ? null : "A whole number, 0 or more.";
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrong) set.mutate();
  }
  return (
    <Dialog title={pool ? `Resize ${pool.name}` : "New pool"} close={close}>
      <form onSubmit={submit} className={styles.pools}>
        {!pool && (
          <Field label="Name">
            {(attributes) => (
              <input
                {...attributes}
                required
                value={name}
                onChange={(event) => setName(event.target.value)}
              />
            )}
          </Field>
        )}
        <Field label="Slots" wrong={wrong} note="0 holds everything back; what runs is not ended.">
          {(attributes) => (
            <input
              {...attributes}
              inputMode="numeric"
              value={size}
              onChange={(event) => setSize(event.target.value)}
            />
          )}
        </Field>
        <InlineError error={set.error} />
        <div>
          <Button type="submit" look="primary" disabled={set.isPending}>
            {pool ? "Resize" : "Make the pool"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
