import { useInfiniteQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { useMemo, useState } from "react";
import { roles } from "@/api/queries.ts";
import { request } from "@/api/request.ts";
import type { TeamRole } from "@/api/types.ts";
import { counted } from "@/lib/count.ts";
import { Button } from "@/parts/Button.tsx";
import { MenuItem, MenuSeparator } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { useMay } from "@/state/session.ts";
import styles from "../Admin.module.css";
import { DeleteSecret } from "../DeleteSecret.tsx";
import { ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { RoleForm } from "./RoleForm.tsx";

type Doing = { what: "new" } | { what: "edit" | "delete"; role: TeamRole };

/** The roles of the team, as sets of verbs: the built-in ones, and those that it defines. */
export function Roles() {
  const found = useInfiniteQuery(roles());
  const mayManage = useMay("role.manage");
  const [doing, setDoing] = useState<Doing | null>(null);
  const shown = useMemo(() => columns(mayManage ? setDoing : null), [mayManage]);
  const close = () => setDoing(null);
  return (
    <ListPage
      about="A role is a set of verbs. Members and tokens have one role each in a team."
      add={
        mayManage && (
          <Button look="primary" onClick={() => setDoing({ what: "new" })}>
            <Plus size={14} aria-hidden />
            New role
          </Button>
        )
      }
      found={found}
      what="Roles"
      columns={shown}
      id={({ name }) => name}
      empty={{ title: "No roles yet" }}
    >
      {doing?.what === "new" && <RoleForm close={close} />}
      {doing?.what === "edit" && <RoleForm stored={doing.role} close={close} />}
      {doing?.what === "delete" && <DeleteRole role={doing.role} close={close} />}
    </ListPage>
  );
}

function DeleteRole({ role: { name }, close }: { role: TeamRole; close: () => void }) {
  return (
    <DeleteSecret
      what="role"
      name={name}
      noun="roles"
      remove={() => request("delete", "/roles/{name}", { path: { name } })}
      close={close}
    >
      <p>Nobody may have this role any more: members and tokens need another role first.</p>
    </DeleteSecret>
  );
}

function columns(start: ((doing: Doing) => void) | null): readonly Column<TeamRole>[] {
  return [
    {
      key: "name",
      head: "Name",
      width: "minmax(110px, 1fr)",
      cell: ({ name, description }) => <span title={description || name}>{name}</span>,
    },
    {
      key: "kind",
      head: "Kind",
      width: "90px",
      secondary: true,
      cell: ({ built_in }) => (built_in ? "built-in" : "of the team"),
    },
    {
      key: "verbs",
      head: "Verbs",
      width: "minmax(140px, 3fr)",
      cell: ({ verbs, built_in }) => (
        <span className={built_in ? undefined : styles.detail} title={verbs.join("\n")}>
          {built_in ? counted(verbs.length, "verb") : verbs.join(", ")}
        </span>
      ),
    },
    menuColumn((role) => {
      if (!start || role.built_in) return null;
      return (
        <RowMenu name={role.name}>
          <MenuItem onSelect={() => start({ what: "edit", role })}>Edit…</MenuItem>
          <MenuSeparator />
          <MenuItem danger onSelect={() => start({ what: "delete", role })}>
            Delete…
          </MenuItem>
        </RowMenu>
      );
    }),
  ];
}
