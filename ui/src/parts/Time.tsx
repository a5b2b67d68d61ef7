import { between, took } from "@/lib/duration.ts";
import { absolute, freshFor, lasting, relative, utc, zone } from "@/lib/time.ts";
import { useNow } from "@/state/now.ts";
import { Tooltip } from "./Tooltip.tsx";

type Words = (instant: string, now: number) => string;

/** On hover the moment itself, in the reader's zone and in UTC. */
function Moment({ at, words }: { at: string; words: Words }) {
  const step = freshFor(at, Date.now());
  const now = useNow(step === 1000 ? 1000 : 15_000);
  return (
    <Tooltip text={`${absolute(at)} ${zone()}\n${utc(at)}`}>
      <time dateTime={at} className="tabular">
        {words(at, Math.max(now, Date.now() - step))}
      </time>
    </Tooltip>
  );
}

/** `3m ago`. */
export function RelativeTime({ at }: { at: string | null | undefined }) {
  return at ? <Moment at={at} words={relative} /> : <span className="tabular">–</span>;
}

/** `for 3m`: since when something is as it is. */
export function Since({ at }: { at: string | null }) {
  return at && <Moment at={at} words={lasting} />;
}

export function Duration({ seconds }: { seconds: number | null | undefined }) {
  return <span className="tabular">{took(seconds)}</span>;
}

/** From start to end, and on while it has not ended. */
export function Elapsed({ from, to }: { from: string | null; to: string | null }) {
  const now = useNow(to || !from ? 86_400_000 : 1000);
  return <Duration seconds={between(from, to, now)} />;
}
