import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { session } from "@/api/queries.ts";
import type { Role, Session } from "@/api/types.ts";

const RANK: readonly Role[] = ["viewer", "operator", "author", "admin"];

/** Who is signed in; below `/t/{team}` there always is somebody. */
export function useSession(): Session {
  return useSuspenseQuery(session()).data;
}

/** The team whose page this is. */
export function useTeam(): string {
  return useParams({ from: "/t/$team" }).team;
}

/** Whether the role is enough; what is not allowed is not offered. The server checks anyway. */
export function useMay(needed: Role): boolean {
  return may(useSession().role, needed);
}

export function may(role: Role, needed: Role): boolean {
  return RANK.indexOf(role) >= RANK.indexOf(needed);
}
