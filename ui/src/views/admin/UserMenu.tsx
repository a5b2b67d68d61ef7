import { Ellipsis } from "lucide-react";
import { useState } from "react";
import type { LoginLink, User } from "@/api/types.ts";
import { buttonClass } from "@/parts/Button.tsx";
import { Menu, MenuCheck, MenuItem, MenuLabel, MenuSeparator } from "@/parts/Menu.tsx";
import { useChangeUser, useLoginLink, useRoles } from "./people.ts";
import { RemoveMember } from "./RemoveMember.tsx";

export function UserMenu({ user, invited }: { user: User; invited: (link: LoginLink) => void }) {
  const roles = useRoles();
  const change = useChangeUser(user);
  const link = useLoginLink(invited);
  const [removing, setRemoving] = useState(false);
  const disabled = user.disabled_at !== null;
  return (
    <>
      <Menu
        trigger={
          <button
            type="button"
            className={buttonClass({ look: "quiet", small: true }, true)}
            aria-label={`Change ${user.name}`}
          >
            <Ellipsis size={16} aria-hidden />
          </button>
        }
      >
        <MenuLabel>Role</MenuLabel>
        {roles.map((role) => (
          <MenuCheck
            key={role}
            checked={user.role === role}
            onChange={() => user.role !== role && change.mutate({ role })}
          >
            {role}
          </MenuCheck>
        ))}
        <MenuSeparator />
        <MenuItem disabled={disabled} onSelect={() => link.mutate(user.name)}>
          Create sign-in link
        </MenuItem>
        <MenuItem danger={!disabled} onSelect={() => change.mutate({ disabled: !disabled })}>
          {disabled ? "Enable" : "Disable (signs out and revokes tokens)"}
        </MenuItem>
        <MenuItem danger onSelect={() => setRemoving(true)}>
          Remove from the team…
        </MenuItem>
      </Menu>
      {removing && <RemoveMember user={user} close={() => setRemoving(false)} />}
    </>
  );
}
