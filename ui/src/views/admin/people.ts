import { useInfiniteQuery, useMutation, useQueryClient } from "@tanstack/react-query";
import { roles } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { LoginLink, User } from "@/api/types.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { useSession } from "@/state/session.ts";
import { say, sayUndoable } from "@/state/toasts.ts";

/** The roles that somebody may hand on: nobody gives what they do not have. */
export function useRoles(): readonly string[] {
  const { verbs } = useSession();
  const found = useInfiniteQuery(roles()).data ?? [];
  return found
    .filter((role) => role.verbs.every((verb) => verbs.includes(verb)))
    .map((r) => r.name);
}

export interface NewPerson {
  name: string;
  display_name: string;
  role: string;
}

/** Somebody new, and the link by which they come in first. */
export function useInvite(invited: (link: LoginLink) => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: async (person: NewPerson) => {
      const body = { ...person, display_name: person.display_name || null };
      await request("post", "/users", { body });
      return request("post", "/login-links", { body: { user: person.name } });
    },
    onSuccess: invited,
    onSettled: () => queries.invalidateQueries({ queryKey: ["users"] }),
  });
}

/** Somebody who is a user already, of whichever team. */
export function useAddMember(done: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (member: { name: string; role: string }) =>
      request("post", "/members", { body: member }),
    onSuccess: (user) => {
      say("done", `Added ${user.name} to the team as ${user.role}`);
      queries.invalidateQueries({ queryKey: ["users"] });
      done();
    },
  });
}

/** No Undo: who is taken in again has lost their tokens all the same. */
export function useRemoveMember(name: string, done: () => void) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => request("delete", "/members/{name}", { path: { name } }),
    onSuccess: () => {
      say("done", `Removed ${name} from the team`);
      for (const queryKey of [["users"], ["tokens"]]) queries.invalidateQueries({ queryKey });
      done();
    },
  });
}

export function useLoginLink(invited: (link: LoginLink) => void) {
  return useMutation({
    mutationFn: (user: string) => request("post", "/login-links", { body: { user } }),
    onSuccess: invited,
    onError: (error) => say("failed", messageOf(error)),
  });
}

/** Another role, or in and out. */
export function useChangeUser({ name, role: before }: User) {
  const queries = useQueryClient();
  const action = useMutation({
    mutationFn: (change: { role?: string; disabled?: boolean }) =>
      request("patch", "/users/{name}", { path: { name }, body: change }),
    onSuccess: (user, { role }) => {
      const led = user.disabled_at
        ? `Disabled ${name}`
        : `Changed the role of ${name} to ${user.role}`;
      // Who was disabled has lost sessions and tokens forever: to enable them again undoes little.
      if (role) sayUndoable(led, () => action.mutate({ role: before }));
      else say("done", led);
      queries.invalidateQueries({ queryKey: ["users"] });
    },
    onError: (error) => say("failed", messageOf(error)),
  });
  return action;
}
