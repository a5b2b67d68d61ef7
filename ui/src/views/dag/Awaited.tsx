import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { dagLinks } from "@/api/queries.ts";
import { counted } from "@/lib/count.ts";
import { useTeam } from "@/state/session.ts";
import styles from "./DagFrame.module.css";

/** How many other DAGs are late when this one is; none: nothing. */
export function Awaited({ dag }: { dag: string }) {
  const team = useTeam();
  const links = useQuery(dagLinks(dag)).data?.items[0];
  if (!links || links.affected.length === 0) return null;
  return (
    <Link className={styles.out} to="/t/$team/dependencies" params={{ team }} search={{ dag }}>
      {counted(links.affected.length, "DAG waits", "DAGs wait")} for it
    </Link>
  );
}
