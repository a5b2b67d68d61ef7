import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Download } from "lucide-react";
import { useState } from "react";
import { audit, auditCheck } from "@/api/queries.ts";
import { address } from "@/api/request.ts";
import type { AuditEntry } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { absolute, compact } from "@/lib/time.ts";
import { Button, buttonClass } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { StateIcon } from "@/parts/State.tsx";
import type { Column } from "@/parts/Table.tsx";
import { Words } from "@/parts/Words.tsx";
import { useMay } from "@/state/session.ts";
import { named } from "../events/describe.ts";
import styles from "./Admin.module.css";
import { Listed } from "./Listed.tsx";

/** Who asked for what, and that nobody has changed the record since. */
export function Audit() {
  const found = useInfiniteQuery(audit());
  const mayRead = useMay("audit.read");
  return (
    <>
      <div className={styles.bar}>
        <span>Every change that someone requested, including refused requests.</span>
        <span className={styles.buttons}>
          <Intact />
          {mayRead && (
            <a
              href={address("/audit/export", { query: { format: "csv" } })}
              download
              className={buttonClass({ small: true })}
            >
              <Download size={14} aria-hidden />
              Export CSV
            </a>
          )}
        </span>
      </div>
      <Listed
        found={found}
        what="Audit"
        columns={COLUMNS}
        id={(entry) => String(entry.seq)}
        empty={<EmptyState title="No changes have been requested yet" />}
      />
    </>
  );
}

function Intact() {
  const check = useQuery(auditCheck()).data;
  if (!check) return null;
  return (
    <span className={styles.intact}>
      <StateIcon state={check.intact ? "success" : "failed"} />
      {check.intact
        ? `${counted(check.entries, "entry", "entries")}, none altered`
        : `Entry ${check.broken_at} has been altered`}
    </span>
  );
}

/** The entry as it was recorded: the request, and the values before and after. */
function Raw({ entry }: { entry: AuditEntry }) {
  const [open, setOpen] = useState(false);
  const { words, ...recorded } = entry;
  return (
    <>
      <Button
        small
        look="quiet"
        aria-label={`Raw entry ${entry.seq}`}
        onClick={() => setOpen(true)}
      >
        Raw
      </Button>
      {open && (
        <Dialog title={`Entry ${entry.seq}`} wide close={() => setOpen(false)}>
          <p>
            {name(entry)} <Words text={words} />
          </p>
          <pre className={styles.raw}>{JSON.stringify(recorded, null, 2)}</pre>
        </Dialog>
      )}
    </>
  );
}

// An actor that is nobody known would make a sentence about nobody.
const UNKNOWN: Record<string, string> = { nobody: "someone unknown", several: "several people" };
const name = ({ actor }: AuditEntry) => UNKNOWN[actor] ?? named(actor);

const COLUMNS: readonly Column<AuditEntry>[] = [
  {
    key: "at",
    head: "When",
    width: "96px",
    cell: (entry) => (
      <time className="tabular" dateTime={entry.at} title={absolute(entry.at)}>
        {compact(entry.at, Date.now())}
      </time>
    ),
  },
  {
    key: "actor",
    head: "Who",
    width: "minmax(90px, 1fr)",
    secondary: true, // then it begins the sentence
    cell: (entry) => <span title={entry.actor}>{name(entry)}</span>,
  },
  {
    key: "words",
    head: "What",
    width: "minmax(140px, 4fr)",
    wraps: true,
    cell: (entry) => (
      <span>
        <b className={styles.who}>{name(entry)} </b>
        <Words text={entry.words} />
      </span>
    ),
  },
  {
    key: "raw",
    head: <span className="sr-only">As recorded</span>,
    width: "64px",
    cell: (entry) => <Raw entry={entry} />,
  },
  {
    key: "from",
    head: "From",
    width: "minmax(90px, 130px)",
    secondary: true,
    cell: (entry) => <span title={entry.via}>{entry.address}</span>,
  },
];
