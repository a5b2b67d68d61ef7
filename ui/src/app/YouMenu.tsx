import { useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { Keyboard, KeyRound, LogOut } from "lucide-react";
import { useState } from "react";
import { request } from "@/api/request.ts";
import { Menu, MenuCheck, MenuItem, MenuLabel, MenuSeparator } from "@/parts/Menu.tsx";
import { useSession } from "@/state/session.ts";
import { setTheme, type Theme, useTheme } from "@/state/theme.ts";
import { OwnPassword } from "./OwnPassword.tsx";

const THEMES: readonly [Theme, string][] = [
  ["system", "Use system theme"],
  ["light", "Light"],
  ["dark", "Dark"],
];

export function YouMenu({ className, keys }: { className: string; keys: () => void }) {
  const { user, role, team } = useSession();
  const theme = useTheme();
  const navigate = useNavigate();
  const queries = useQueryClient();
  const [changing, setChanging] = useState(false);
  const name = user.display_name || user.name;

  async function leave() {
    const { url } = await request("delete", "/session");
    queries.clear();
    if (url)
      location.assign(url); // at the identity provider as well
    else await navigate({ to: "/login" });
  }

  return (
    <>
      <Menu
        trigger={
          <button type="button" className={className} aria-label={`You: ${name}`}>
            {name.slice(0, 1).toUpperCase()}
          </button>
        }
      >
        <MenuLabel>
          {name} · {role} of {team}
        </MenuLabel>
        <MenuSeparator />
        <MenuLabel>Theme</MenuLabel>
        {THEMES.map(([value, word]) => (
          <MenuCheck key={value} checked={theme === value} onChange={() => setTheme(value)}>
            {word}
          </MenuCheck>
        ))}
        <MenuSeparator />
        <MenuItem onSelect={keys}>
          <Keyboard size={16} aria-hidden />
          Keys
        </MenuItem>
        <MenuItem onSelect={() => setChanging(true)}>
          <KeyRound size={16} aria-hidden />
          Password
        </MenuItem>
        <MenuItem onSelect={leave}>
          <LogOut size={16} aria-hidden />
          Sign out
        </MenuItem>
      </Menu>
      {changing && <OwnPassword name={user.name} close={() => setChanging(false)} />}
    </>
  );
}
