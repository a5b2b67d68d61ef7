import type { Event } from "@/api/types.ts";
import { absolute, exact } from "@/lib/time.ts";
import { DagLink, RunLink } from "@/parts/links.tsx";
import { StateIcon } from "@/parts/State.tsx";
import type { Column } from "@/parts/Table.tsx";
import { Words } from "@/parts/Words.tsx";
import { byPerson, to, what, who } from "./describe.ts";
import styles from "./Events.module.css";

export const COLUMNS: readonly Column<Event>[] = [
  {
    key: "at",
    head: "When",
    width: "116px",
    cell: (event) => (
      <time className="tabular" dateTime={event.at} title={absolute(event.at)}>
        {exact(event.at, Date.now())}
      </time>
    ),
  },
  {
    key: "what",
    head: "What",
    width: "minmax(116px, 1.8fr)",
    cell: (event) => (
      <span className={styles.what}>
        {event.state && <StateIcon state={event.state} size={14} />}
        <span>{what(event)}</span>
      </span>
    ),
  },
  {
    key: "dag",
    head: "DAG",
    width: "minmax(88px, 1.2fr)",
    cell: (event) => (event.dag_id ? <DagLink dag={event.dag_id} /> : <span>{event.subject}</span>),
  },
  {
    key: "run",
    head: "Run",
    width: "108px",
    secondary: true,
    cell: (event) => event.run_id && <RunLink run={event.run_id} />,
  },
  {
    key: "to",
    head: "Task",
    width: "minmax(96px, 1.2fr)",
    secondary: true,
    cell: (event) => <span>{to(event)}</span>,
  },
  {
    key: "actor",
    head: "By",
    width: "minmax(84px, 110px)",
    secondary: 2,
    cell: (event) => (
      <span className={byPerson(event.actor) ? styles.person : styles.machine} title={event.actor}>
        {who(event.actor)}
      </span>
    ),
  },
  {
    key: "reason",
    head: "Why",
    width: "minmax(168px, 2.4fr)",
    secondary: true,
    cell: ({ reason }) =>
      reason && (
        <span title={reason}>
          <Words text={reason} />
        </span>
      ),
  },
];
