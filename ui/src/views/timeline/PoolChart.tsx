import type { PoolLoad } from "@/api/types.ts";
import { minute } from "@/lib/time.ts";
import { columns, type Part, peak, topOf } from "@/lib/timeline/load.ts";
import styles from "./Timeline.module.css";

/** The slots of a pool over time: filled where they were used, hatched where they will be. */
export function PoolChart({
  pool,
  labels,
  width,
  height,
  partMs,
}: {
  pool: PoolLoad;
  labels: number;
  width: number;
  height: number;
  partMs: number;
}) {
  const inner = height - 8;
  const line = inner - (pool.slots / topOf(pool.slots, pool.parts)) * inner;
  const hatch = `load-${pool.name.replace(/\W/g, "-")}`;
  return (
    <div className={styles.pool} style={{ height }}>
      <div className={styles.poolName} style={{ width: labels }}>
        <b title={pool.name}>{pool.name}</b>
        <span>{pool.slots} slots</span>
      </div>
      <svg width={width} height={inner} role="img" aria-label={spoken(pool)}>
        <defs>
          <pattern
            id={hatch}
            width="5"
            height="5"
            patternUnits="userSpaceOnUse"
            patternTransform="rotate(45)"
          >
            <rect width="2" height="5" className={styles.hatch} />
          </pattern>
        </defs>
        {columns(pool.parts, pool.slots, width, inner).map(({ part, over, ...box }) => (
          <rect
            key={part.at}
            {...box}
            className={styles.column}
            data-predicted={part.predicted}
            data-over={over}
            style={part.predicted ? { fill: `url(#${hatch})` } : undefined}
          >
            <title>{titleOf(part, pool.slots, partMs)}</title>
          </rect>
        ))}
        <line className={styles.size} x1={0} x2={width} y1={line} y2={line} />
      </svg>
    </div>
  );
}

function titleOf(part: Part, slots: number, partMs: number): string {
  const end = new Date(Date.parse(part.at) + partMs).toISOString();
  const expected = part.predicted ? " expected" : "";
  return `${rounded(part.used)} of ${slots} slots${expected}, ${minute(part.at)} – ${minute(end)}`;
}

function spoken(pool: PoolLoad): string {
  const [was, comes] = [peak(pool.parts, false), peak(pool.parts, true)];
  const past = was ? `at most ${rounded(was.used)} used, ${minute(was.at)}` : "none used";
  const next = comes
    ? `at most ${rounded(comes.used)} expected, ${minute(comes.at)}`
    : "none expected";
  return `Pool ${pool.name} of ${pool.slots} slots: ${past}; ${next}`;
}

function rounded(used: number): string {
  return used < 10 ? String(Math.round(used * 100) / 100) : String(Math.round(used));
}
