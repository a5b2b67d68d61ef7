import { Link } from "@tanstack/react-router";
import { ChevronsUpDown, Ellipsis } from "lucide-react";
import { Menu, MenuLabel, MenuLink } from "@/parts/Menu.tsx";
import { may, useSession, useTeam } from "@/state/session.ts";
import { IN_BAR, PAGES } from "./navigation.ts";
import styles from "./SideNav.module.css";

/** At the left of a screen; at the bottom of a phone, where the first few stand and the rest wait. */
export function SideNav() {
  const { role, version } = useSession();
  const team = useTeam();
  const pages = PAGES.filter((page) => may(role, page.needs));
  return (
    <nav className={styles.side} aria-label="Pages">
      <TeamSwitch team={team} />
      {pages.map(({ to, word, icon: Icon }, index) => (
        <Link
          key={to}
          to={to}
          params={{ team }}
          className={`${styles.item} ${index >= IN_BAR ? styles.beyond : ""}`}
        >
          <Icon size={16} aria-hidden />
          {word}
        </Link>
      ))}
      <Menu
        trigger={
          <button type="button" className={`${styles.item} ${styles.more}`}>
            <Ellipsis size={16} aria-hidden />
            More
          </button>
        }
      >
        {pages.slice(IN_BAR).map(({ to, word, icon: Icon }) => (
          <MenuLink key={to}>
            <Link to={to} params={{ team }}>
              <Icon size={16} aria-hidden />
              {word}
            </Link>
          </MenuLink>
        ))}
      </Menu>
      <p className={styles.foot}>Headway {version}</p>
    </nav>
  );
}

function TeamSwitch({ team }: { team: string }) {
  const { teams } = useSession();
  const mark = <img src="/favicon.svg" alt="" width={20} height={20} />;
  if (teams.length < 2) {
    return (
      <div className={styles.brand}>
        {mark}
        <span className={styles.team}>{team}</span>
      </div>
    );
  }
  return (
    <Menu
      align="start"
      trigger={
        <button type="button" className={styles.brand} aria-label={`Team ${team}: change`}>
          {mark}
          <span className={styles.team}>{team}</span>
          <ChevronsUpDown size={14} aria-hidden />
        </button>
      }
    >
      <MenuLabel>Teams</MenuLabel>
      {teams.map(({ name, role }) => (
        <MenuLink key={name}>
          <Link to="/t/$team/overview" params={{ team: name }}>
            {name} · {role}
          </Link>
        </MenuLink>
      ))}
    </Menu>
  );
}
