import type { UseInfiniteQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { EmptyState } from "@/parts/EmptyState.tsx";
import type { Column } from "@/parts/Table.tsx";
import { RelativeTime } from "@/parts/Time.tsx";
import styles from "./Admin.module.css";
import { Listed } from "./Listed.tsx";

/** A page of the administration: what it is about, the button that adds one, the list; `children` are its dialogs. */
export function ListPage<T>({
  about,
  add,
  found,
  what,
  columns,
  id,
  empty,
  children,
}: {
  about: ReactNode;
  add?: ReactNode;
  found: UseInfiniteQueryResult<T[], Error>;
  what: string;
  columns: readonly Column<T>[];
  id: (item: T) => string;
  empty: { title: string; command?: string; children?: ReactNode };
  children?: ReactNode;
}) {
  return (
    <>
      <div className={styles.bar}>
        <span>{about}</span>
        {found.data?.length !== 0 && add}
      </div>
      <Listed
        found={found}
        what={what}
        columns={columns}
        id={id}
        empty={<EmptyState action={add} {...empty} />}
      />
      {children}
    </>
  );
}

/** When something was changed the last time. */
export function changedColumn<T>(at: (item: T) => string | null | undefined): Column<T> {
  return {
    key: "changed",
    head: "Changed",
    width: "92px",
    end: true,
    secondary: true,
    cell: (item) => <RelativeTime at={at(item)} />,
  };
}

/** What can be done with a row, at its end. */
export function menuColumn<T>(cell: (item: T) => ReactNode): Column<T> {
  return {
    key: "menu",
    head: <span className="sr-only">Actions</span>,
    width: "60px",
    end: true,
    cell,
  };
}
