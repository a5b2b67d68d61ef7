import { useMutation, useQueryClient } from "@tanstack/react-query";
import { request } from "@/api/request.ts";
import type { Grant } from "@/api/types.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { say } from "@/state/toasts.ts";

export const WORDS: Readonly<Record<Grant["kind"], string>> = {
  see_runs: "See runs",
  start: "Start",
  wait: "Wait for runs",
  use_asset: "Use asset",
  use_pool: "Use pool",
};

/** What a grant is about. */
export const subjectOf = (kind: Grant["kind"]) =>
  kind === "use_asset" ? "asset" : kind === "use_pool" ? "pool" : "DAG";

export interface Answer {
  grant: Grant;
  state: Grant["state"];
  word: string;
}

interface Possible {
  word: string;
  state: Grant["state"];
  danger?: boolean;
}

/** What a team can answer to a grant as it stands. */
export function answersTo(
  { owner, state }: Pick<Grant, "owner" | "state">,
  team: string,
): Possible[] {
  const give: Possible = { word: "Give", state: "given" };
  if (owner !== team) {
    if (state === "given") return [{ word: "Hand back", state: "revoked", danger: true }];
    return state === "asked" ? [{ word: "Withdraw", state: "revoked", danger: true }] : [];
  }
  if (state === "asked") return [give, { word: "Refuse", state: "refused", danger: true }];
  return state === "given" ? [{ word: "Revoke", state: "revoked", danger: true }] : [give];
}

export function useAnswer() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ grant, state }: Answer) =>
      request("patch", "/grants/{grant_id}", { path: { grant_id: grant.id }, body: { state } }),
    onSuccess: ({ state, grantee, name }) => {
      say("done", `The grant of ${name} to ${grantee} is ${state}`);
      queries.invalidateQueries({ queryKey: ["grants"] });
    },
    onError: (error) => say("failed", messageOf(error)),
  });
}
