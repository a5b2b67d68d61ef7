import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { health } from "@/api/queries.ts";
import { useSession, useTeam } from "@/state/session.ts";
import { EmptyState } from "./EmptyState.tsx";
import styles from "./links.module.css";

/** Where the first DAG is to be put: the server knows which folder it watches. And the teams that may have some. */
export function NoDags() {
  const { data } = useQuery(health());
  return (
    <EmptyState title="No DAGs yet" command="headway up --dags FOLDER">
      <OtherTeams />
      <p>
        Save a DAG file in {data ? <code>{data.dags}</code> : "the folder that Headway watches"}. It
        appears here within two seconds.
      </p>
      <p>To watch another folder, start Headway with:</p>
    </EmptyState>
  );
}

const SHOWN = 5;

function OtherTeams() {
  const here = useTeam();
  const others = useSession().teams.filter(({ name }) => name !== here);
  if (others.length === 0) return null;
  return (
    <p>
      Your other teams:{" "}
      {others.slice(0, SHOWN).map(({ name }, at) => (
        <span key={name}>
          {at > 0 && ", "}
          <Link
            className={styles.link}
            to="/t/$team/overview"
            params={{ team: name }}
            preload={false}
            reloadDocument
          >
            {name}
          </Link>
        </span>
      ))}
      {others.length > SHOWN && ` and ${others.length - SHOWN} more, in the menu of the team`}.
    </p>
  );
}
