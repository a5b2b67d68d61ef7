import { useInfiniteQuery } from "@tanstack/react-query";
import { UserCheck, UserPlus } from "lucide-react";
import { useMemo, useState } from "react";
import { users } from "@/api/queries.ts";
import type { LoginLink, User } from "@/api/types.ts";
import { duration } from "@/lib/duration.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay } from "@/state/session.ts";
import { AddMember } from "./AddMember.tsx";
import styles from "./Admin.module.css";
import { Listed } from "./Listed.tsx";
import { NewUser } from "./NewUser.tsx";
import { Secret } from "./Secret.tsx";
import { UserMenu } from "./UserMenu.tsx";

/** The people of the team. */
export function Users() {
  const found = useInfiniteQuery(users());
  const mayAdd = useMay("member.manage");
  const [adding, setAdding] = useState<"new" | "member" | null>(null);
  const [link, setLink] = useState<LoginLink | null>(null);
  const shown = useMemo(() => columns(setLink), []);
  return (
    <>
      <div className={styles.bar}>
        <span>
          Viewers see everything, operators run DAGs, authors change what can run, admins manage
          pools and people.
        </span>
        {mayAdd && (
          <span className={styles.buttons}>
            <Button onClick={() => setAdding("member")}>
              <UserCheck size={14} aria-hidden />
              Add member
            </Button>
            <Button look="primary" onClick={() => setAdding("new")}>
              <UserPlus size={14} aria-hidden />
              New user
            </Button>
          </span>
        )}
      </div>
      <Listed
        found={found}
        what="Users"
        columns={shown}
        id={(user) => user.name}
        empty={<EmptyState title="No users yet" />}
      />
      {adding === "member" && <AddMember close={() => setAdding(null)} />}
      {adding === "new" && (
        <NewUser
          close={() => setAdding(null)}
          invited={(made) => {
            setAdding(null);
            setLink(made);
          }}
        />
      )}
      {link && (
        <Secret
          title={`Sign-in link for ${link.user}`}
          text={link.url}
          note={`The link signs ${link.user} in once and expires in ${duration(link.expires_in_s)}. It is not shown again.`}
          close={() => setLink(null)}
        />
      )}
    </>
  );
}

function columns(invited: (link: LoginLink) => void): readonly Column<User>[] {
  return [
    {
      key: "name",
      head: "Name",
      width: "minmax(120px, 1fr)",
      cell: (user) => <span className={user.disabled_at ? styles.off : ""}>{user.name}</span>,
    },
    {
      key: "display",
      head: "Display name",
      width: "minmax(120px, 1.4fr)",
      secondary: true,
      cell: (user) => <span>{user.display_name}</span>,
    },
    { key: "role", head: "Role", width: "100px", cell: (user) => user.role },
    {
      key: "how",
      head: "Signs in by",
      width: "120px",
      secondary: true,
      cell: (user) => signsInBy(user),
    },
    {
      key: "since",
      head: "Since",
      width: "92px",
      spare: true,
      end: true,
      cell: (user) => <RelativeTime at={user.created_at} />,
    },
    {
      key: "menu",
      head: <span className="sr-only">Actions</span>,
      width: "60px",
      end: true,
      cell: (user) => <UserMenu user={user} invited={invited} />,
    },
  ];
}

function signsInBy({ disabled_at, is_service, has_password }: User): string {
  if (disabled_at) return "disabled";
  if (is_service) return "tokens";
  return has_password ? "password" : "link";
}
