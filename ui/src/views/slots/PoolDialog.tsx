import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type FormEvent, useState } from "react";
import { request } from "@/api/request.ts";
import type { Pool } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { say, sayUndoable } from "@/state/toasts.ts";
import styles from "./Slots.module.css";

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

/** To how many slots, and from how many; null: it was not there. */
interface Resizing {
  slots: number;
  before: number | null;
}

/** Make a pool, or give one another size. */
export function PoolDialog({
  pool,
  wanted,
  close,
}: {
  pool?: Pick<Pool, "name" | "slots"> | undefined;
  /** What is filled in: the pool that a task waits for, as large as it needs. */
  wanted?: Pick<Pool, "name" | "slots">;
  close: () => void;
}) {
  const [name, setName] = useState(pool?.name ?? wanted?.name ?? "");
  const [size, setSize] = useState(String(wanted?.slots ?? pool?.slots ?? 8));
  const queries = useQueryClient();
  const set = useMutation({
    mutationFn: ({ slots }: Resizing) =>
      request("put", "/pools/{name}", { path: { name }, body: { slots } }),
    onSuccess: ({ slots }, { before }) => {
      for (const noun of ["slots", "overview", "run-tasks", "instance"])
        queries.invalidateQueries({ queryKey: [noun] });
      const led = `Pool ${name} has ${counted(slots, "slot")}`;
      if (before !== null) sayUndoable(led, () => set.mutate({ slots: before, before: slots }));
      else say("done", led);
      close();
    },
  });
  const wrong = /^\d+$/.test(size) ? null : "Enter a whole number, 0 or more.";
  function submit(event: FormEvent) {
    event.preventDefault();
    if (!wrong) set.mutate({ slots: Number(size), before: pool?.slots ?? null });
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
        <Field
          label="Slots"
          wrong={wrong}
          note="With 0 slots no new tasks start. Running tasks are not stopped."
        >
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
            {pool ? "Resize" : "Create pool"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
