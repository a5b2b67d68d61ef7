import { queryOptions } from "@tanstack/react-query";
import { pages } from "./pages.ts";
import { request } from "./request.ts";

/** Open questions, of the team or of one run; the latest first. */
export const questions = (run?: string) =>
  pages(["questions", run ?? "all"], (cursor, signal) =>
    request("get", "/questions", { query: { run_id: run, limit: 50, cursor }, signal }),
  );

export const questionCount = () =>
  queryOptions({
    queryKey: ["questions", "count"],
    queryFn: ({ signal }) => request("get", "/question-count", { signal }),
    refetchInterval: 60_000,
  });
