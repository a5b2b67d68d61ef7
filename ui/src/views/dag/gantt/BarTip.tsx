import type { Segment } from "@/api/types.ts";
import { duration } from "@/lib/duration.ts";
import { lengthOf, type Row } from "@/lib/gantt/bars.ts";
import { WAIT_WORDS } from "@/lib/gantt/waits.ts";
import { instanceName } from "@/lib/instances.ts";
import { stateWord } from "@/lib/states.ts";
import { StateBadge } from "@/parts/State.tsx";
import { Words } from "@/parts/Words.tsx";
import { Fact, HoverCard, hoverStyles } from "../HoverCard.tsx";

const SHOWN = 8;

/** The life of an instance in words: what it waited for, and each attempt. */
export function BarTip({ row, now, x, y }: { row: Row; now: number; x: number; y: number }) {
  const { bar } = row;
  const segments = bar.segments.slice(-SHOWN);
  return (
    <HoverCard x={x} y={y}>
      <p className={hoverStyles.title}>{instanceName(bar)}</p>
      <StateBadge state={bar.state} />
      <dl>
        {segments.map((segment) => (
          <Fact
            key={segment.from + segment.kind}
            name={<Words text={nameOf(segment)} />}
            value={duration(lengthOf(segment, now))}
          />
        ))}
        {bar.expected_s !== null && !segments.at(-1)?.to && (
          <Fact name="usually takes" value={duration(bar.expected_s)} />
        )}
      </dl>
    </HoverCard>
  );
}

function nameOf({ kind, attempt, state, reason, wait }: Segment): string {
  if (kind === "running") return `attempt ${attempt ?? 1}${state ? `, ${stateWord(state)}` : ""}`;
  return reason ?? `waited for ${WAIT_WORDS[wait ?? "other"]}`;
}
