import type { ReactNode } from "react";
import type { BlockedDag } from "@/api/types.ts";
import { AssetLink, DagLink, RunLink } from "@/parts/links.tsx";
import { Card } from "@/parts/Page.tsx";
import styles from "./RunPage.module.css";

/** The DAGs that wait because of this run, and those that wait for them: whom to tell. */
export function BlockedDags({ blocked }: { blocked: readonly BlockedDag[] }) {
  return (
    <Card title="Other DAGs that wait for this">
      <ul className={styles.rows}>
        {blocked.map((each) => (
          <li key={[each.dag_id, each.kind, each.name, each.source, each.run_id].join(" ")}>
            <DagLink dag={each.dag_id} />
            <span className={styles.reason}>
              <Why blocked={each} />
            </span>
            {each.owner && <span className={styles.change}>owner {each.owner}</span>}
          </li>
        ))}
      </ul>
    </Card>
  );
}

function Why({
  blocked: { kind, name, source, run_id, through },
}: {
  blocked: BlockedDag;
}): ReactNode {
  if (through) {
    return (
      <>
        {kind === "trigger" ? (
          "is started by a run"
        ) : (
          <>waits for {kind === "asset" ? <Asset name={name} /> : "a run"}</>
        )}{" "}
        of <DagLink dag={through} />
      </>
    );
  }
  if (kind === "asset") {
    return (
      <>
        waits for <Asset name={name} />, which <code>{source}</code> did not update
      </>
    );
  }
  return (
    <>
      task <code>{name}</code> of run {run_id && <RunLink run={run_id} />} waits for this run
    </>
  );
}

function Asset({ name }: { name: string }) {
  return (
    <>
      asset <AssetLink asset={name} />
    </>
  );
}
