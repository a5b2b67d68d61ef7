/** Made from what the server knows: `make ui-types`. */
export const INSTANCE_STATES = ["failed", "running", "up_for_retry", "queued", "ready", "waiting", "upstream_failed", "cancelled", "success", "skipped"] as const;
export const RUN_STATES = ["queued", "running", "success", "failed", "cancelled"] as const;
export const STATES = ["failed", "running", "up_for_retry", "queued", "ready", "waiting", "upstream_failed", "cancelled", "success", "skipped", "lost"] as const;
export const STATE_WORDS = {"failed": "failed", "running": "running", "up_for_retry": "up for retry", "queued": "queued", "ready": "ready", "waiting": "waiting", "upstream_failed": "upstream failed", "cancelled": "cancelled", "success": "success", "skipped": "skipped", "lost": "lost"} as const;
export const FINAL_STATES = ["failed", "upstream_failed", "cancelled", "success", "skipped", "lost"] as const;
export const STATE_LETTERS = {"failed": "f", "running": "R", "up_for_retry": "y", "queued": "q", "ready": "r", "waiting": "w", "upstream_failed": "u", "cancelled": "c", "success": "s", "skipped": "k"} as const;
export const TRIGGERS = ["schedule", "manual", "backfill"] as const;
export const WAITS = ["upstream", "pool", "limit", "agent", "paused", "retry", "start", "other"] as const;
