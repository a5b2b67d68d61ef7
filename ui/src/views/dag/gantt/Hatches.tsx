import { HATCHED, WAIT_LOOK } from "./waitLook.ts";

/** The patterns that bars name: once a page. */
export function Hatches() {
  return (
    <svg width="0" height="0" style={{ position: "absolute" }} aria-hidden>
      <defs>
        {HATCHED.map((wait) => {
          const { colour, lean } = WAIT_LOOK[wait];
          return (
            <pattern
              key={wait}
              id={`wait-${wait}`}
              width="5"
              height="5"
              patternUnits="userSpaceOnUse"
              patternTransform={`rotate(${lean})`}
            >
              <rect width="5" height="5" style={{ fill: colour }} opacity="0.35" />
              <rect width="2" height="5" style={{ fill: colour }} />
            </pattern>
          );
        })}
      </defs>
    </svg>
  );
}
