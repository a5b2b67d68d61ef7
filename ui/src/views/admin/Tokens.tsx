import { useInfiniteQuery } from "@tanstack/react-query";
import { Bot, KeyRound } from "lucide-react";
import { useState } from "react";
import { tokens } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { NewToken as Made, Token } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import { useMay } from "@/state/session.ts";
import styles from "./Admin.module.css";
import { Listed } from "./Listed.tsx";
import { NewServiceAccount } from "./NewServiceAccount.tsx";
import { NewToken } from "./NewToken.tsx";
import { Revoke } from "./Revoke.tsx";
import { Secret } from "./Secret.tsx";

/** By which programs come in. */
export function Tokens() {
  const found = useInfiniteQuery(tokens());
  const [making, setMaking] = useState(false);
  const [adding, setAdding] = useState(false);
  const mayManage = useMay("token.manage");
  const [made, setMade] = useState<Made | null>(null);
  return (
    <>
      <div className={styles.bar}>
        <span>A token gives a program its owner’s access, limited to the token’s role.</span>
        <span className={styles.buttons}>
          {mayManage && (
            <Button onClick={() => setAdding(true)}>
              <Bot size={14} aria-hidden />
              New service account
            </Button>
          )}
          <Button look="primary" onClick={() => setMaking(true)}>
            <KeyRound size={14} aria-hidden />
            New token
          </Button>
        </span>
      </div>
      <Listed
        found={found}
        what="Tokens"
        columns={COLUMNS}
        id={(token) => token.id}
        empty={
          <EmptyState title="No tokens yet">
            <p>Create a token for CI, a script or another machine.</p>
          </EmptyState>
        }
      />
      {making && (
        <NewToken
          close={() => setMaking(false)}
          made={(token) => {
            setMaking(false);
            setMade(token);
          }}
        />
      )}
      {adding && (
        <NewServiceAccount
          close={() => setAdding(false)}
          made={(token) => {
            setAdding(false);
            setMade(token);
          }}
        />
      )}
      {made && (
        <Secret
          title={`Token ${made.name}`}
          text={made.token}
          note="Copy the token now. It is not shown again."
          close={() => setMade(null)}
        />
      )}
    </>
  );
}

/** The role, and what of it. */
function scopeOf({ role, verbs, dag_ids }: Token): string {
  const narrowed = verbs ? `${role}: ${verbs.join(", ")}` : role;
  return dag_ids ? `${narrowed} on ${dag_ids.join(", ")}` : narrowed;
}

const COLUMNS: readonly Column<Token>[] = [
  {
    key: "name",
    head: "Name",
    width: "minmax(110px, 1.4fr)",
    cell: (token) => <span className={token.revoked_at ? styles.off : ""}>{token.name}</span>,
  },
  {
    key: "user",
    head: "Of",
    width: "minmax(80px, 1fr)",
    spare: true,
    cell: (token) => <span>{token.user}</span>,
  },
  {
    key: "role",
    head: "Allows",
    width: "minmax(90px, 1.2fr)",
    secondary: true,
    cell: (token) => <span>{scopeOf(token)}</span>,
  },
  {
    key: "used",
    head: "Last used",
    width: "96px",
    end: true,
    secondary: true,
    cell: (token) => <RelativeTime at={token.last_used_at} />,
  },
  {
    key: "expires",
    head: "Expires",
    width: "96px",
    end: true,
    cell: (token) => (token.revoked_at ? "revoked" : <RelativeTime at={token.expires_at} />),
  },
  {
    key: "revoke",
    head: <span className="sr-only">Revoke</span>,
    width: "96px",
    end: true,
    cell: ({ id, name, user, role, revoked_at }) =>
      !revoked_at && (
        <Revoke
          what="token"
          name={`the token ${name}`}
          noun="tokens"
          revoke={() => request("delete", "/tokens/{token_id}", { path: { token_id: id } })}
        >
          Programs that use this token will be refused at once. It belongs to {user}, with the role{" "}
          {role}. You cannot undo this.
        </Revoke>
      ),
  },
];
