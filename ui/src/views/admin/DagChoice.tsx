import { useInfiniteQuery } from "@tanstack/react-query";
import { X } from "lucide-react";
import { useId, useState } from "react";
import { dags as dagsQuery } from "@/api/queries.ts";
import { Button, IconButton } from "@/parts/Button.tsx";
import { Field } from "@/parts/Field.tsx";
import styles from "./Admin.module.css";

/** The DAGs that may use something: all of the team (null), or only those named. */
export function DagChoice({
  dags,
  change,
}: {
  dags: string[] | null;
  change: (dags: string[] | null) => void;
}) {
  return (
    <>
      <Field label="Which DAGs may use it">
        {(attributes) => (
          <select
            {...attributes}
            value={dags === null ? "all" : "some"}
            onChange={(event) => change(event.target.value === "all" ? null : [])}
          >
            <option value="all">All DAGs of the team</option>
            <option value="some">Only these DAGs</option>
          </select>
        )}
      </Field>
      {dags !== null && <Chosen dags={dags} change={change} />}
    </>
  );
}

function Chosen({ dags, change }: { dags: string[]; change: (dags: string[]) => void }) {
  const [typed, setTyped] = useState("");
  const known = useInfiniteQuery(dagsQuery({})).data?.items.map((dag) => dag.dag_id) ?? [];
  const list = useId();
  const name = typed.trim();
  function add() {
    if (name && !dags.includes(name)) change([...dags, name]);
    setTyped("");
  }
  return (
    <>
      <Field
        label="DAG"
        note={dags.length === 0 ? "Name at least one DAG." : null}
        wrong={
          name && known.length > 0 && !known.some((each) => each.startsWith(name))
            ? `No DAG of this team is named ${name}. You can add it anyway.`
            : null
        }
      >
        {(attributes) => (
          <div className={styles.adding}>
            <input
              {...attributes}
              list={list}
              autoComplete="off"
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== "Enter") return;
                event.preventDefault(); // it adds a name, and does not send the form
                add();
              }}
            />
            <datalist id={list}>
              {known.map((each) => (
                <option key={each} value={each} />
              ))}
            </datalist>
            <Button onClick={add} disabled={!name}>
              Add DAG
            </Button>
          </div>
        )}
      </Field>
      {dags.length > 0 && (
        <ul className={styles.chosen} aria-label="DAGs that may use it">
          {dags.map((each) => (
            <li key={each}>
              <code>{each}</code>
              <IconButton
                small
                label={`Remove ${each}`}
                onClick={() => change(dags.filter((other) => other !== each))}
              >
                <X size={14} aria-hidden />
              </IconButton>
            </li>
          ))}
        </ul>
      )}
    </>
  );
}

/** The same in a table's cell. */
export function DagsOf({ dags }: { dags: string[] | null }) {
  if (dags === null) return <span>all</span>;
  return <span title={dags.join(", ")}>{dags.length === 1 ? dags[0] : `${dags.length} DAGs`}</span>;
}
