import type { State } from "@/lib/states.ts";

/**
 * A sign for each state on a grid of 16, so that no state is told by its colour alone. `solid` ones
 * are a filled disc or shape with the sign cut out; the others are drawn as lines: not yet decided.
 */
export interface Sign {
  solid: boolean;
  d: string;
}

export const SIGNS: Record<State, Sign> = {
  waiting: { solid: false, d: "M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2" },
  ready: { solid: false, d: "M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2M6.7 5.6 10.4 8l-3.7 2.4z" },
  queued: { solid: false, d: "M8 2a6 6 0 1 1 0 12A6 6 0 1 1 8 2M8 4.8V8l2.2 1.6" },
  running: { solid: false, d: "M8 2a6 6 0 1 1-6 6" },
  up_for_retry: { solid: false, d: "M3.2 9.8A5.2 5.2 0 1 0 4 4.6L2.4 6.2M2.2 2.6v3.7h3.7" },
  deferred: {
    solid: false,
    d: "M4.4 2.6h7.2M4.4 13.4h7.2M5.2 2.8c0 3 5.6 3.6 5.6 5.2s-5.6 2.2-5.6 5.2M10.8 2.8c0 3-5.6 3.6-5.6 5.2s5.6 2.2 5.6 5.2",
  },
  up_for_reschedule: {
    solid: false,
    d: "M1.8 8S4 4 8 4s6.2 4 6.2 4-2.2 4-6.2 4-6.2-4-6.2-4M8 6.4a1.6 1.6 0 1 1 0 3.2 1.6 1.6 0 1 1 0-3.2",
  },
  success: { solid: true, d: "m5 8.2 2.2 2.2L11.2 6" },
  failed: { solid: true, d: "m5.7 5.7 4.6 4.6m0-4.6-4.6 4.6" },
  skipped: { solid: true, d: "m4.8 5.6 2.6 2.4-2.6 2.4m3.6-4.8L11 8l-2.6 2.4" },
  upstream_failed: { solid: true, d: "M8 11V5.4M5.6 7.6 8 5.2l2.4 2.4" },
  cancelled: { solid: true, d: "M5.2 8h5.6" },
  lost: { solid: true, d: "M6.2 6.4a1.8 1.8 0 1 1 2.6 1.7c-.5.3-.8.6-.8 1.2m0 1.9v.1" },
};
