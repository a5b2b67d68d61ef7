import { useInfiniteQuery } from "@tanstack/react-query";
import { KeyRound } from "lucide-react";
import { useState } from "react";
import { tokens } from "@/api/queries.ts";
import type { NewToken as Made, Token } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { EmptyState } from "@/parts/EmptyState.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./Admin.module.css";
import { Listed } from "./Listed.tsx";
import { NewToken } from "./NewToken.tsx";
import { RevokeToken } from "./RevokeToken.tsx";
import { Secret } from "./Secret.tsx";

/** By which programs come in. */
export function Tokens() {
  const found = useInfiniteQuery(tokens());
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  return (
    <>
      <div className={styles.bar}>
        <span>A token gives a program its owner’s access, limited to the token’s role.</span>
        <Button look="primary" onClick={() => setMaking(true)}>
          <KeyRound size={14} aria-hidden />
          New token
        </Button>
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
    cell: (token) => <span>{token.user}</span>,
  },
  { key: "role", head: "Role", width: "90px", secondary: true, cell: (token) => token.role },
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
    cell: (token) => !token.revoked_at && <RevokeToken token={token} />,
  },
];
