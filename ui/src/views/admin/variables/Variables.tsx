import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { variables } from "@/api/queries.ts";
import type { Variable } from "@/api/types.ts";
import { Button } from "@/parts/Button.tsx";
import { MenuItem, MenuSeparator } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import styles from "../Admin.module.css";
import { DagsOf } from "../DagChoice.tsx";
import { changedColumn, ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { DeleteVariable } from "./DeleteVariable.tsx";
import { VariableForm } from "./VariableForm.tsx";

type Doing = { what: "new" } | { what: "edit" | "delete"; variable: Variable };

/** Values that tasks of the team read by key. */
export function Variables() {
  const found = useInfiniteQuery(variables());
  const maySet = useMay("variable.write");
  const [doing, setDoing] = useState<Doing | null>(null);
  const shown = useMemo(() => columns(maySet ? setDoing : null), [maySet]);
  const close = () => setDoing(null);
  const add = maySet && (
    <Button look="primary" onClick={() => setDoing({ what: "new" })}>
      <Plus size={14} aria-hidden />
      New variable
    </Button>
  );
  return (
    <ListPage
      about="Values that tasks read by key. The value of a secret can be set, but is never shown."
      add={add}
      found={found}
      what="Variables"
      columns={shown}
      id={(variable) => variable.key}
      empty={{
        title: "No variables yet",
        command: "headway var import variables.json",
        children: (
          <p>
            A task reads a variable with <code>variable("bucket")</code>. Create one here, or import
            what Airflow exported.
          </p>
        ),
      }}
    >
      {doing?.what === "new" && <VariableForm close={close} />}
      {doing?.what === "edit" && <VariableForm stored={doing.variable} close={close} />}
      {doing?.what === "delete" && <DeleteVariable variable={doing.variable} close={close} />}
    </ListPage>
  );
}

function columns(start: ((doing: Doing) => void) | null): readonly Column<Variable>[] {
  return [
    {
      key: "key",
      head: "Key",
      width: "minmax(110px, 1.2fr)",
      cell: ({ key, description }) => <span title={description || key}>{key}</span>,
    },
    {
      key: "value",
      head: "Value",
      width: "minmax(110px, 2fr)",
      cell: ({ is_secret, value }) =>
        is_secret ? (
          <span className={styles.quiet}>secret</span>
        ) : (
          <span className={styles.detail} title={value ?? ""}>
            {value}
          </span>
        ),
    },
    {
      key: "dags",
      head: "DAGs",
      width: "110px",
      secondary: true,
      cell: ({ dags }) => <DagsOf dags={dags} />,
    },
    changedColumn(({ changed_at }) => changed_at),
    menuColumn(
      (variable) =>
        start && (
          <RowMenu name={variable.key}>
            <MenuItem onSelect={() => start({ what: "edit", variable })}>Edit…</MenuItem>
            <MenuSeparator />
            <MenuItem danger onSelect={() => start({ what: "delete", variable })}>
              Delete…
            </MenuItem>
          </RowMenu>
        ),
    ),
  ];
}
