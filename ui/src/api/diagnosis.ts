import { queryOptions } from "@tanstack/react-query";
import type { Key } from "@/lib/clear.ts";
import { path, request } from "./request.ts";

/** One error, however often it happened: what differs between two is no more than numbers and ids. */
export interface DistinctError {
  fingerprint: string;
  count: number;
  task_ids: string[];
  first: Key & {
    number: number;
    at: string | null;
    cause: string | null;
    detail: string | null;
    line: number | null;
    excerpt: string | null;
  };
}

export interface Diagnosis {
  /** What happened, in a sentence; names stand in backticks. */
  headline: string;
  errors: DistinctError[];
  blocked: { task_id: string; count: number; reason: string | null }[];
  compared_to: {
    run_id: string;
    logical_date: string;
    version: number;
    differences: { what: string; before: unknown; after: unknown }[];
  } | null;
  first_failed: Key | null;
  retry: { failed: number; total: number };
}

export const diagnosis = (runId: string) =>
  queryOptions({
    queryKey: ["diagnosis", runId],
    queryFn: ({ signal }) => request<Diagnosis>(path`/runs/${runId}/diagnosis`, { signal }),
    staleTime: 2_000,
  });
