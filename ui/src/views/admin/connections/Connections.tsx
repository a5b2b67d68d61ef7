import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { connections } from "@/api/queries.ts";
import type { Connection } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { MenuItem, MenuSeparator } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import { DagsOf } from "../DagChoice.tsx";
import { changedColumn, ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { ConnectionForm } from "./ConnectionForm.tsx";
import { DeleteConnection } from "./DeleteConnection.tsx";
import { target } from "./form.ts";
import { TestConnection } from "./TestConnection.tsx";

type Doing = { what: "new" } | { what: "edit" | "delete" | "test"; connection: Connection };

/** How tasks of the team reach other systems. Secrets are set here and shown nowhere. */
export function Connections() {
  const found = useInfiniteQuery(connections());
  const maySet = useMay("connection.write");
  const [doing, setDoing] = useState<Doing | null>(null);
  const shown = useMemo(() => columns(setDoing, maySet), [maySet]);
  const close = () => setDoing(null);
  const add = maySet && (
    <Button look="primary" onClick={() => setDoing({ what: "new" })}>
      <Plus size={14} aria-hidden />
      New connection
    </Button>
  );
  return (
    <ListPage
      about="How tasks reach other systems. Passwords and secret extras can be set, but are never shown."
      add={add}
      found={found}
      what="Connections"
      columns={shown}
      id={(connection) => connection.conn_id}
      empty={{
        title: "No connections yet",
        command: "headway conn import connections.json",
        children: (
          <p>
            A task reads a connection with <code>connection("warehouse")</code>. Create one here, or
            import what Airflow exported.
          </p>
        ),
      }}
    >
      {doing?.what === "new" && <ConnectionForm close={close} />}
      {doing?.what === "edit" && <ConnectionForm stored={doing.connection} close={close} />}
      {doing?.what === "test" && <TestConnection id={doing.connection.conn_id} close={close} />}
      {doing?.what === "delete" && <DeleteConnection connection={doing.connection} close={close} />}
    </ListPage>
  );
}

function columns(start: (doing: Doing) => void, maySet: boolean): readonly Column<Connection>[] {
  return [
    {
      key: "id",
      head: "ID",
      width: "minmax(110px, 1.2fr)",
      cell: ({ conn_id, description }) => <span title={description || conn_id}>{conn_id}</span>,
    },
    { key: "type", head: "Type", width: "110px", cell: ({ conn_type }) => conn_type },
    {
      key: "target",
      head: "Host",
      width: "minmax(120px, 1.6fr)",
      secondary: true,
      cell: (connection) => <span title={target(connection)}>{target(connection)}</span>,
    },
    {
      key: "login",
      head: "Login",
      width: "minmax(80px, 1fr)",
      secondary: true,
      cell: ({ login }) => <span title={login ?? ""}>{login}</span>,
    },
    {
      key: "password",
      head: "Password",
      width: "90px",
      secondary: true,
      cell: ({ has_password }) => (has_password ? "set" : "none"),
    },
    {
      key: "dags",
      head: "DAGs",
      width: "110px",
      spare: true,
      cell: ({ dags }) => <DagsOf dags={dags} />,
    },
    changedColumn(({ changed_at }) => changed_at),
    menuColumn((connection) => (
      <RowMenu name={connection.conn_id}>
        <MenuItem onSelect={() => start({ what: "test", connection })}>Test</MenuItem>
        {maySet && (
          <>
            <MenuItem onSelect={() => start({ what: "edit", connection })}>Edit…</MenuItem>
            <MenuSeparator />
            <MenuItem danger onSelect={() => start({ what: "delete", connection })}>
              Delete…
            </MenuItem>
          </>
        )}
      </RowMenu>
    )),
  ];
}
