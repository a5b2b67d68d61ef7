import { between, took } from "@/lib/duration.ts";
import { absolute, freshFor, relative, utc, zone } from "@/lib/time.ts";
import { useNow } from "@/state/now.ts";
import { Tooltip } from "./Tooltip.tsx";

/** `3m ago`; on hover the moment itself, in the reader's zone and in UTC. */
export function RelativeTime({ at }: { at: string | null | undefined }) {
  const step = at ? freshFor(at, Date.now()) : 600_000;
  const now = useNow(step === 1000 ? 1000 : 15_000);
  if (!at) return <span className="tabular">–</span>;
  return (
    <Tooltip text={`${absolute(at)} ${zone()}\n${utc(at)}`}>
      <time dateTime={at} className="tabular">
        {relative(at, Math.max(now, Date.now() - step))}
      </time>
    </Tooltip>
  );
}

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  return <span className="tabular">{took(seconds)}</span>;
}

/** From start to end, and on while it has not ended. */
export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const now = useNow(to || !from ? 86_400_000 : 1000);
  return <Duration seconds={between(from, to, now)} />;
}
