import { counted } from "@/lib/count.ts";
import styles from "./links.module.css";
import { DagLink } from "./links.tsx";

/** The DAGs that are late if something is, the nearest first, and whom to tell. */
export function AffectedDags({
  dags,
  total,
  owners,
}: {
  dags: readonly string[];
  total: number;
  owners: readonly string[];
}) {
  if (total === 0) return <span className={styles.quiet}>no other DAG is affected</span>;
  return (
    <>
      {counted(total, "DAG is", "DAGs are")} affected:{" "}
      {dags.map((dag, index) => (
        <span key={dag}>
          {index > 0 && ", "}
          <DagLink dag={dag} />
        </span>
      ))}
      {total > dags.length && ", …"}
      {owners.length > 0 && (
        <span className={styles.quiet}>
          {" "}
          · {owners.length === 1 ? "owner" : "owners"} {owners.join(", ")}
        </span>
      )}
    </>
  );
}
