import { Play } from "lucide-react";
import { type FormEvent, useRef, useState } from "react";
import type { DagDetail } from "@/api/types.ts";
import { type Draft, readAll } from "@/lib/params.ts";
import { fromInput, zone } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field, useFocusOnWrong } from "@/parts/Field.tsx";
import { ParamFields } from "@/parts/ParamFields.tsx";
import { Plan } from "./Plan.tsx";
import styles from "./Trigger.module.css";
import { useTrigger, useWouldTrigger } from "./useTrigger.ts";

export function TriggerForm({ dag }: { dag: DagDetail }) {
  const params = dag.spec.params ?? [];
  const [drafts, setDrafts] = useState<ReadonlyMap<string, Draft>>(new Map());
  const [date, setDate] = useState("");
  const [partition, setPartition] = useState("");
  const [tried, setTried] = useState(false);
  const [attempts, setAttempts] = useState(0);
  const { values, wrong } = readAll(params, drafts);
  const wanted = {
    params: values,
    logical_date: fromInput(date),
    partition: partition.trim() || null,
  };
  const plan = useWouldTrigger(dag.dag_id);
  const trigger = useTrigger(dag.dag_id);

  const form = useRef<HTMLFormElement>(null);
  useFocusOnWrong(form, tried && wrong.size > 0, attempts);

  function submit(event: FormEvent) {
    event.preventDefault();
    setTried(true);
    setAttempts((count) => count + 1);
    if (wrong.size === 0) trigger.mutate(wanted);
  }

  function preview() {
    setTried(true);
    setAttempts((count) => count + 1);
    if (wrong.size === 0) plan.mutate(wanted);
  }

  return (
    <form ref={form} className={styles.form} onSubmit={submit} noValidate>
      {params.length === 0 && (
        <p className={styles.note}>This DAG takes no parameters. Run it as it is.</p>
      )}
      <ParamFields
        params={params}
        drafts={drafts}
        wrong={tried ? wrong : undefined}
        onChange={setDrafts}
      />
      <Field
        label="Logical date"
        note={`The date and time the run is for, in ${zone()}. Default: now.`}
      >
        {(attributes) => (
          <input
            {...attributes}
            type="datetime-local"
            step={1}
            value={date}
            onChange={(event) => setDate(event.target.value)}
          />
        )}
      </Field>
      {hasPartitions(dag) && (
        <Field label="Partition" note="The data that the run is about, for instance a day.">
          {(attributes) => (
            <input
              {...attributes}
              maxLength={250}
              value={partition}
              onChange={(event) => setPartition(event.target.value)}
            />
          )}
        </Field>
      )}
      {plan.data && <Plan plan={plan.data} />}
      <InlineError error={trigger.error ?? plan.error} />
      <div className={styles.buttons}>
        <Button type="submit" look="primary" disabled={trigger.isPending}>
          <Play size={14} aria-hidden />
          Run {dag.dag_id}
        </Button>
        <Button onClick={preview} disabled={plan.isPending}>
          Preview
        </Button>
      </div>
    </form>
  );
}

/** Each of its runs is about a part of the data. */
function hasPartitions({ schedule }: DagDetail): boolean {
  return schedule !== null && ("partitions" in schedule || "partition_key" in schedule);
}
