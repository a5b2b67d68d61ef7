import { useQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { dag as dagQuery, run as runQuery } from "@/api/queries.ts";
import { showIn, zone } from "@/lib/time.ts";
import { useClock } from "@/state/zone.ts";

/**
 * The zone in which this page shows its times, as the reader chose it. It is set while the frame is rendered, before
 * any page below; what was drawn in another zone is drawn anew by its key.
 */
export function useShownZone(): string {
  const clock = useClock();
  const { dag, run } = useParams({ strict: false });
  const ofRun = useQuery({ ...runQuery(run ?? ""), enabled: clock === "dag" && run !== undefined });
  const dagId = dag ?? ofRun.data?.dag_id;
  const ofDag = useQuery({
    ...dagQuery(dagId ?? ""),
    enabled: clock === "dag" && dagId !== undefined,
  });
  const spec = ofDag.data?.spec;
  const theirs = spec?.schedule?.timezone ?? spec?.timezone;
  showIn(
    clock === "utc" ? "UTC" : clock === "dag" && typeof theirs === "string" ? theirs : undefined,
  );
  return zone();
}
