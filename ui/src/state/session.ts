import { useSuspenseQuery } from "@tanstack/react-query";
import { useParams } from "@tanstack/react-router";
import { session } from "@/api/queries.ts";
import type { Role, Session, Verb } from "@/api/types.ts";
import { ROLES } from "@/api/words.ts";

/** Who is signed in; below `/t/{team}` there always is somebody. */
export function useSession(): Session {
  return useSuspenseQuery(session()).data;
}

/** The team whose page this is. */
export function useTeam(): string {
  return useParams({ from: "/t/$team" }).team;
}

/** Whether it is allowed; what is not allowed is not offered. The server checks anyway. */
export function useMay(needed: Verb | Role): boolean {
  return may(useSession(), needed);
}

/** A role stands for all its verbs. */
export function may({ verbs }: Pick<Session, "verbs">, needed: Verb | Role): boolean {
  const wanted: readonly string[] = needed in ROLES ? ROLES[needed as Role] : [needed];
  return wanted.every((verb) => (verbs as readonly string[]).includes(verb));
}
