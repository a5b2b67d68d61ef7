import { useQuery } from "@tanstack/react-query";
import { type FormEvent, useId, useState } from "react";
import { search } from "@/api/queries.ts";
import type { BackfillAnswer } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { zoned } from "@/lib/time.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { Field } from "@/parts/Field.tsx";
import { StateBadge } from "@/parts/State.tsx";
import styles from "./Backfills.module.css";
import { ACTIONS, startedOf, summaryOf } from "./planned.ts";
import { type Asked, useBackfill } from "./useBackfill.ts";

const SHOWN = 500;

/** First the exact list of runs, then the button that makes them. */
export function NewBackfill({ dag: given = "", close }: { dag?: string; close: () => void }) {
  const [asked, setAsked] = useState<Asked>({
    dag: given,
    from: "",
    to: "",
    at_once: "",
    again: "missing",
    newest_first: false,
  });
  const { plan, make } = useBackfill(close);
  const change = (part: Partial<Asked>) => {
    plan.reset(); // the list below is of what was asked before
    setAsked((before) => ({ ...before, ...part }));
  };
  function submit(event: FormEvent) {
    event.preventDefault();
    if (plan.data) make.mutate(asked);
    else plan.mutate(asked);
  }
  return (
    <Dialog title="New backfill" close={close}>
      <form className={styles.form} onSubmit={submit}>
        <DagField value={asked.dag} onChange={(dag) => change({ dag })} />
        <div className={styles.dates}>
          <DateField label="From" value={asked.from} onChange={(from) => change({ from })} />
          <DateField label="To" value={asked.to} onChange={(to) => change({ to })} />
        </div>
        <Field label="Runs at once" note="Default: 4.">
          {(attributes) => (
            <input
              {...attributes}
              type="number"
              min={1}
              value={asked.at_once}
              onChange={(event) => change({ at_once: event.target.value })}
            />
          )}
        </Field>
        <label className={styles.check}>
          <input
            type="checkbox"
            checked={asked.newest_first}
            onChange={(event) => setAsked({ ...asked, newest_first: event.target.checked })}
          />
          Run the latest date first
        </label>
        {plan.data && (
          <Planned
            answer={plan.data}
            again={asked.again}
            choose={(again) => {
              const next = { ...asked, again };
              setAsked(next);
              plan.mutate(next);
            }}
          />
        )}
        <InlineError error={make.error ?? plan.error} />
        <div>
          <Button
            type="submit"
            look="primary"
            disabled={plan.isPending || make.isPending || (plan.data && startedOf(plan.data) === 0)}
          >
            {plan.data ? `Start ${counted(startedOf(plan.data), "run")}` : "Preview runs"}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

const CHOICES = [
  { again: "missing", words: "only dates without a run" },
  { again: "failed", words: "also those whose run failed or was cancelled" },
  { again: "all", words: "all dates, also those that succeeded" },
] as const;

function Planned(props: {
  answer: BackfillAnswer;
  again: Asked["again"];
  choose: (again: Asked["again"]) => void;
}) {
  const { runs, timezone, notes } = props.answer;
  const name = useId();
  if (runs.length === 0) return <p role="status">The schedule has no dates in this period.</p>;
  return (
    <div role="status">
      <p className={styles.summary}>{summaryOf(props.answer)}</p>
      {(notes ?? []).map((note) => (
        <p key={note} className={styles.note}>
          {note}
        </p>
      ))}
      {runs.some(({ state }) => state !== null) && (
        <fieldset className={styles.again}>
          <legend>Some dates have a run already. Run:</legend>
          {CHOICES.map(({ again, words }) => (
            <label key={again}>
              <input
                type="radio"
                name={name}
                checked={props.again === again}
                onChange={() => props.choose(again)}
              />
              {words}
            </label>
          ))}
          <p className={styles.note}>
            What runs again does so in its own run, with the latest code.
          </p>
        </fieldset>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <ol className={styles.list} tabIndex={0} aria-label="Dates">
        {runs.slice(0, SHOWN).map((run) => (
          <li key={run.logical_date} data-action={run.action}>
            <span>{zoned(run.logical_date, timezone)}</span>
            {run.state && <StateBadge state={run.state} />}
            <span className={styles.action}>{ACTIONS[run.action]}</span>
          </li>
        ))}
        {runs.length > SHOWN && <li>… and {counted(runs.length - SHOWN, "more", "more")}</li>}
      </ol>
    </div>
  );
}

function DagField({ value, onChange }: { value: string; onChange: (dag: string) => void }) {
  const list = useId();
  const found = useQuery(search(value));
  return (
    <Field label="DAG">
      {(attributes) => (
        <>
          <input
            {...attributes}
            required
            list={list}
            value={value}
            onChange={(event) => onChange(event.target.value)}
            spellCheck={false}
          />
          <datalist id={list}>
            {found.data?.dags.map(({ dag_id }) => (
              <option key={dag_id} value={dag_id} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function DateField({
  label,
  value,
  onChange,
}: {
  label: string;
  value: string;
  onChange: (value: string) => void;
}) {
  return (
    <Field label={label} note="Inclusive, in the DAG’s time zone.">
      {(attributes) => (
        <input
          {...attributes}
          type="date"
          required
          value={value}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
    </Field>
  );
}
