import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { HandHelping, Share2 } from "lucide-react";
import { useMemo, useState } from "react";
import { grants } from "@/api/queries.ts";
import type { Grant } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { MenuItem } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay, useTeam } from "@/state/session.ts";
import styles from "../Admin.module.css";
import { Listed } from "../Listed.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { GrantForm } from "./GrantForm.tsx";
import { type Answer, answersTo, useAnswer, WORDS } from "./grants.ts";

/** What teams let each other do with DAGs, assets and pools: given and asked for, in both directions. */
export function Grants() {
  const found = useInfiniteQuery(grants());
  const mayManage = useMay("grant.manage");
  const team = useTeam();
  const [making, setMaking] = useState<"give" | "ask" | null>(null);
  const { mutate: answer } = useAnswer();
  const shown = useMemo(() => columns(team, mayManage ? answer : null), [team, mayManage, answer]);
  const close = () => setMaking(null);
  return (
    <>
      <div className={styles.bar}>
        <span>
          A grant lets another team see the runs of one DAG, start it or wait for it, or use one
          asset or pool. Nothing else of a team is visible to others.
        </span>
        {mayManage && (
          <span className={styles.buttons}>
            <Button onClick={() => setMaking("ask")}>
              <HandHelping size={14} aria-hidden />
              Ask for access
            </Button>
            <Button look="primary" onClick={() => setMaking("give")}>
              <Share2 size={14} aria-hidden />
              Give access
            </Button>
          </span>
        )}
      </div>
      <Listed
        found={found}
        what="Grants"
        columns={shown}
        id={(grant) => grant.id}
        empty={
          <EmptyState title="No grants yet" command="headway grant give TEAM see_runs DAG">
            <p>
              Give another team access to a DAG, an asset or a pool of yours, or ask for access to
              theirs.
            </p>
          </EmptyState>
        }
      />
      {making && <GrantForm what={making} close={close} />}
    </>
  );
}

function columns(
  team: string,
  answer: ((answer: Answer) => void) | null,
): readonly Column<Grant>[] {
  return [
    {
      key: "grantee",
      head: "Team",
      width: "minmax(88px, 1fr)",
      wraps: true,
      cell: ({ grantee }) => <span>{grantee === team ? `${grantee} (yours)` : grantee}</span>,
    },
    {
      key: "kind",
      head: "May",
      width: "minmax(52px, 1fr)",
      wraps: true,
      cell: ({ kind }) => <span>{WORDS[kind]}</span>,
    },
    {
      key: "name",
      head: "Name",
      width: "minmax(60px, 1.6fr)",
      wraps: true,
      cell: (grant) => <NameOf grant={grant} team={team} />,
    },
    {
      key: "owner",
      head: "Of",
      width: "minmax(90px, 1fr)",
      secondary: true,
      cell: ({ owner }) => <span>{owner === team ? `${owner} (yours)` : owner}</span>,
    },
    {
      key: "state",
      head: "State",
      width: "minmax(56px, 84px)",
      wraps: true,
      cell: ({ state, note }) => (
        <span title={note}>{state === "asked" ? "asked for" : state}</span>
      ),
    },
    {
      key: "changed",
      head: "Changed",
      width: "92px",
      end: true,
      secondary: true,
      cell: ({ changed_at }) => <RelativeTime at={changed_at} />,
    },
    {
      key: "menu",
      head: <span className="sr-only">Actions</span>,
      width: "60px",
      end: true,
      cell: (grant) => answer && <Answers grant={grant} team={team} answer={answer} />,
    },
  ];
}

/** Of another team: the way to its runs, if they may be seen or started. */
function NameOf({ grant: { owner, name, kind, state }, team }: { grant: Grant; team: string }) {
  const isOpen = state === "given" && (kind === "see_runs" || kind === "start");
  if (owner === team || !isOpen) return <span title={name}>{name}</span>;
  return (
    <Link to="/t/$team/shared/$owner/$dag" params={{ team, owner, dag: name }}>
      {name}
    </Link>
  );
}

function Answers({
  grant,
  team,
  answer,
}: {
  grant: Grant;
  team: string;
  answer: (answer: Answer) => void;
}) {
  const possible = answersTo(grant, team);
  if (possible.length === 0) return null;
  const name = `${WORDS[grant.kind]} ${grant.name} for ${grant.grantee}`;
  return (
    <RowMenu name={name}>
      {possible.map(({ word, state, danger }) => (
        <MenuItem key={word} danger={danger} onSelect={() => answer({ grant, state, word })}>
          {word}
        </MenuItem>
      ))}
    </RowMenu>
  );
}
