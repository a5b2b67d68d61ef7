import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { teams } from "@/api/queries.ts";
import type { NewTeam, Team } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import { MenuItem, MenuSeparator } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import styles from "../Admin.module.css";
import { Listed } from "../Listed.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { Secret } from "../Secret.tsx";
import { DeleteTeam } from "./DeleteTeam.tsx";
import { TeamForm } from "./TeamForm.tsx";
import { TeamLimits } from "./TeamLimits.tsx";

type Doing =
  | { what: "new" }
  | { what: "edit" | "limits" | "delete"; team: Team }
  | { made: NewTeam };

/** All teams of this control plane, for a platform admin: what each may use, and what it uses now. */
export function Teams() {
  const found = useInfiniteQuery(teams());
  const [doing, setDoing] = useState<Doing | null>(null);
  const shown = useMemo(() => columns(setDoing), []);
  const close = () => setDoing(null);
  return (
    <>
      <div className={styles.bar}>
        <span>
          Each team has its own DAGs, people and secrets. Slots are what a team is sure of; idle
          slots are lent by weight.
        </span>
        <Button look="primary" onClick={() => setDoing({ what: "new" })}>
          <Plus size={14} aria-hidden />
          New team
        </Button>
      </div>
      <Listed
        found={found}
        what="Teams"
        columns={shown}
        id={(team) => team.name}
        empty={<EmptyState title="No teams yet" />}
      />
      {doing && "made" in doing && (
        <Secret
          title={`Token for the agents of ${doing.made.name}`}
          text={doing.made.agent_token ?? ""}
          note="The team exists, and you are an admin of it. Its agents connect with this token. Copy it now: it is not shown again."
          close={() => location.reload() /* one more team in the switch */}
        />
      )}
      {doing && "what" in doing && doing.what === "new" && (
        <TeamForm close={close} made={(made) => setDoing({ made })} />
      )}
      {doing && "team" in doing && doing.what === "edit" && (
        <TeamForm stored={doing.team} close={close} />
      )}
      {doing && "team" in doing && doing.what === "limits" && (
        <TeamLimits team={doing.team} close={close} />
      )}
      {doing && "team" in doing && doing.what === "delete" && (
        <DeleteTeam team={doing.team} close={close} />
      )}
    </>
  );
}

function columns(start: (doing: Doing) => void): readonly Column<Team>[] {
  return [
    {
      key: "name",
      head: "Name",
      width: "minmax(92px, 1.4fr)",
      cell: ({ name, title }) => (
        <span title={title ?? name}>
          {name} {title && <span className={styles.quiet}>{title}</span>}
        </span>
      ),
    },
    amount("slots", "Slots", ({ slots }) => (slots === null ? "none" : number(slots))),
    { ...amount("weight", "Weight", ({ weight }) => number(weight)), secondary: true },
    amount("used", "In use", ({ used }) => number(used)),
    { ...amount("waiting", "Waiting", ({ waiting }) => number(waiting)), secondary: true },
    { ...amount("dags", "DAGs", ({ dags }) => number(dags)), secondary: true },
    { ...amount("members", "Members", ({ members }) => number(members)), secondary: true },
    {
      key: "menu",
      head: <span className="sr-only">Actions</span>,
      width: "60px",
      end: true,
      cell: (team) => (
        <RowMenu name={team.name}>
          <MenuItem onSelect={() => start({ what: "edit", team })}>Edit…</MenuItem>
          <MenuItem onSelect={() => start({ what: "limits", team })}>Limits…</MenuItem>
          <MenuSeparator />
          <MenuItem danger onSelect={() => start({ what: "delete", team })}>
            Delete…
          </MenuItem>
        </RowMenu>
      ),
    },
  ];
}

function amount(key: string, head: string, of: (team: Team) => string): Column<Team> {
  return {
    key,
    head,
    width: "minmax(56px, 90px)",
    end: true,
    cell: (team) => <span className="tabular">{of(team)}</span>,
  };
}
