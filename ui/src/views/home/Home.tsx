import { useQuery } from "@tanstack/react-query";
import { overview } from "@/api/queries.ts";
import type { Overview } from "@/api/types.ts";
import { headline } from "@/lib/activity.ts";
import { ErrorState } from "@/parts/ErrorState.tsx";
import { NoDags } from "@/parts/NoDags.tsx";
import { Page, PageBody } from "@/parts/Page.tsx";
import { Skeleton, SkeletonRows } from "@/parts/Skeleton.tsx";
import { StateIcon } from "@/parts/State.tsx";
import { Stuck } from "../slots/Stuck.tsx";
import { Activity } from "./Activity.tsx";
import { Counts } from "./Counts.tsx";
import styles from "./Home.module.css";
import { Components, Next, Slots } from "./Standing.tsx";
import { BrokenFiles, Failed, Flawed, Late, Waiting } from "./Troubles.tsx";

/** Is everything all right? The worst stands first; what has nothing to say is not there. */
export function Home() {
  const found = useQuery(overview());
  if (found.isError && !found.data) {
    return (
      <Page title="Home">
        <ErrorState
          error={found.error}
          what="The overview"
          retry={() => found.refetch()}
          stillWorks="The lists of DAGs and runs may still work."
        />
      </Page>
    );
  }
  return (
    <Page title="Home" heading={<Headline home={found.data} />}>
      <PageBody key={found.data ? "home" : "loading"}>
        {found.data ? <Content home={found.data} /> : <SkeletonRows count={10} />}
      </PageBody>
    </Page>
  );
}

function Headline({ home }: { home: Overview | undefined }) {
  if (!home) return <Skeleton width={340} height={36} />;
  if (home.dags.total === 0) return "Welcome";
  const counts = {
    failing: home.failed.length,
    stuck: home.stuck.length,
    late: home.late.length,
    broken: home.import_errors.length,
    unhealthy: home.components.filter((component) => !component.healthy).length,
  };
  const well = Object.values(counts).every((count) => count === 0);
  return (
    <span className={styles.headline}>
      <StateIcon state={well ? "success" : "failed"} size={24} />
      {headline(counts)}
    </span>
  );
}

function Content({ home }: { home: Overview }) {
  if (home.dags.total === 0 && home.import_errors.length === 0) {
    return <NoDags />;
  }
  return (
    <div className={styles.stack}>
      <Counts home={home} />
      <Activity hours={home.activity} />
      <div className={styles.columns}>
        <Stuck tasks={home.stuck} />
        <Failed runs={home.failed} />
        <Flawed runs={home.flawed} />
        <BrokenFiles errors={home.import_errors} />
        <Late dags={home.late} />
        <Waiting tasks={waitingIn(home)} />
        <Next runs={home.next} />
        <Slots pools={home.slots} />
        <Components components={home.components} />
      </div>
    </div>
  );
}

/** Without what can never run, which stands above. */
function waitingIn({ waiting, stuck }: Overview): Overview["waiting"] {
  const told = new Set(stuck.map(({ reason }) => reason));
  return waiting.filter(({ reason }) => !told.has(reason));
}
