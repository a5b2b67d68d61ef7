import { type UseInfiniteQueryResult, useMutation, useQueryClient } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { type ReactNode, useMemo, useState } from "react";
import { Button } from "@/parts/Button.tsx";
import { MenuItem } from "@/parts/Menu.tsx";
import type { Column } from "@/parts/Table.tsx";
import { say } from "@/state/toasts.ts";
import { DeleteSecret } from "../DeleteSecret.tsx";
import { ListPage, menuColumn } from "../ListPage.tsx";
import { RowMenu } from "../RowMenu.tsx";
import { Secret } from "../Secret.tsx";

interface Hook {
  name: string;
  disabled_at: string | null;
}

interface Made {
  name: string;
  secret: string | null;
}

/** What the dialog of a form is given. */
export interface Ways {
  close: () => void;
  made: (hook: Made) => void;
}

/** What webhooks of one direction are called, and how the API deletes and disables one. */
export interface Direction {
  word: string;
  title: string;
  /** The query that lists them. */
  noun: string;
  about: string;
  command: string;
  none: string;
  secret: string;
  deletes: string;
  remove: (name: string) => Promise<unknown>;
  disable: (name: string, disabled: boolean) => Promise<Hook>;
}

interface Props<H extends Hook> {
  direction: Direction;
  found: UseInfiniteQueryResult<H[], Error>;
  /** Behind the name of each. */
  columns: readonly Column<H>[];
  create: (ways: Ways) => ReactNode;
  /** The word of the menu, and the dialog that it opens. */
  change: [word: string, dialog: (hook: H, ways: Ways) => ReactNode];
  deliveries: (hook: H, close: () => void) => ReactNode;
  /** What else the menu of one has. */
  items?: (hook: H) => ReactNode;
}

type Open<H> = { what: "deliveries" | "change" | "delete"; hook: H };

/** Webhooks of one direction: the list, and what can be done with each. */
export function HookList<H extends Hook>(props: Props<H>) {
  const { direction, columns, items, change } = props;
  const [making, setMaking] = useState(false);
  const [made, setMade] = useState<Made | null>(null);
  const [open, setOpen] = useState<Open<H> | null>(null);
  const { mutate: disable } = useDisable(direction);
  const all = useMemo(
    () => [
      NAME,
      ...columns,
      menuColumn((hook: H) => (
        <RowMenu name={hook.name}>
          <MenuItem onSelect={() => setOpen({ what: "deliveries", hook })}>Deliveries…</MenuItem>
          <MenuItem onSelect={() => setOpen({ what: "change", hook })}>{change[0]}</MenuItem>
          {items?.(hook)}
          <MenuItem onSelect={() => disable(hook)}>
            {hook.disabled_at ? "Enable" : "Disable"}
          </MenuItem>
          <MenuItem danger onSelect={() => setOpen({ what: "delete", hook })}>
            Delete…
          </MenuItem>
        </RowMenu>
      )),
    ],
    [columns, change, items, disable],
  );
  return (
    <ListPage
      about={direction.about}
      add={
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden />
          New {direction.word}
        </Button>
      }
      found={props.found}
      what={direction.title}
      columns={all}
      id={(hook) => hook.name}
      empty={{
        title: `No ${direction.title.toLowerCase()} yet`,
        command: direction.command,
        children: <p>{direction.none}</p>,
      }}
    >
      {making && props.create({ close: () => setMaking(false), made: setMade })}
      {made?.secret && (
        <Secret
          title={`Secret of ${made.name}`}
          text={made.secret}
          note={`Copy it now: it is not shown again. ${direction.secret}`}
          close={() => setMade(null)}
        />
      )}
      {open && <Opened {...props} open={open} close={() => setOpen(null)} made={setMade} />}
    </ListPage>
  );
}

function Opened<H extends Hook>({
  open: { what, hook },
  direction: { word, noun, remove, deletes },
  close,
  made,
  change,
  deliveries,
}: Props<H> & Ways & { open: Open<H> }) {
  if (what === "deliveries") return deliveries(hook, close);
  if (what === "change") return change[1](hook, { close, made });
  return (
    <DeleteSecret
      what={word}
      name={hook.name}
      noun={noun}
      remove={() => remove(hook.name)}
      close={close}
    >
      <p>{deletes} You cannot undo this.</p>
    </DeleteSecret>
  );
}

function useDisable({ word, noun, disable }: Direction) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ name, disabled_at }: Hook) => disable(name, disabled_at === null),
    onSuccess: ({ name, disabled_at }) => {
      queries.invalidateQueries({ queryKey: [noun] });
      say("done", `${disabled_at ? "Disabled" : "Enabled"} the ${word} ${name}`);
    },
    onError: (error) => say("failed", error.message),
  });
}

const NAME: Column<Hook> = {
  key: "name",
  head: "Name",
  width: "minmax(76px, 1fr)",
  cell: ({ name }) => <span title={name}>{name}</span>,
};
