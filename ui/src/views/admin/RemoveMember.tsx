import { useInfiniteQuery } from "@tanstack/react-query";
import { tokens } from "@/api/queries.ts";
import type { Token, User } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { Dialog } from "@/parts/Dialog.tsx";
import { InlineError } from "@/parts/ErrorState.tsx";
import { useSession, useTeam } from "@/state/session.ts";
import styles from "./Admin.module.css";
import { useRemoveMember } from "./people.ts";

/** Says what ends with a membership before it ends. */
export function RemoveMember({ user: { name, role }, close }: { user: User; close: () => void }) {
  const team = useTeam();
  const own = useSession().user.name === name;
  const found = useInfiniteQuery(tokens());
  const remove = useRemoveMember(name, own ? () => location.assign("/") : close);
  return (
    <Dialog
      title={`Remove ${name} from ${team}?`}
      close={close}
      foot={
        <>
          <Button onClick={close}>Cancel</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {own ? "Leave the team" : `Remove ${name}`}
          </Button>
        </>
      }
    >
      <div className={styles.consequences}>
        <p>
          {own ? "You lose" : `${name} loses`} the role {role} and all access to this team at once.
        </p>
        <p>{found.data && tokensEnd(living(found.data, name), found.hasNextPage)}</p>
        <p>The audit log is kept. An admin can add the user again later.</p>
        <InlineError error={remove.error} />
      </div>
    </Dialog>
  );
}

function living(all: readonly Token[], name: string): Token[] {
  const now = Date.now();
  return all.filter(
    (token) => token.user === name && !token.revoked_at && Date.parse(token.expires_at) > now,
  );
}

function tokensEnd(ending: readonly Token[], more: boolean): string {
  if (ending.length === 0)
    return more ? "This team’s tokens will be revoked permanently." : "No tokens will be revoked.";
  const names = ending.map((token) => `“${token.name}”`).join(", ");
  const what = ending.length === 1 ? "The token" : "The tokens";
  return `${what} ${names}${more ? " and possibly others" : ""} will be revoked permanently.`;
}
