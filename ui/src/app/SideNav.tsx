import { useQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import { ChevronsUpDown, Ellipsis, FileWarning } from "lucide-react";
import { importErrors } from "@/api/queries.ts";
import { questionCount } from "@/api/questions.ts";
import { Menu, MenuLabel, MenuLink, MenuSeparator } from "@/parts/Menu.tsx";
import { may, useSession, useTeam } from "@/state/session.ts";
import { IN_BAR, PAGES } from "./navigation.ts";
import styles from "./SideNav.module.css";

const QUESTIONS = "/t/$team/questions";

/** At the left of a screen; at the bottom of a phone, where the first few stand and the rest wait. */
export function SideNav() {
  const session = useSession();
  const team = useTeam();
  const pages = PAGES.filter((page) => may(session, page.needs));
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
          {to === QUESTIONS && <Open />}
        </Link>
      ))}
      <BrokenFiles team={team} />
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
              {to === QUESTIONS && <Open />}
            </Link>
          </MenuLink>
        ))}
        {session.teams.length > 1 && <MenuSeparator />}
        {session.teams.length > 1 && <TeamLinks team={team} />}
      </Menu>
      <p className={styles.foot}>Headway {session.version}</p>
    </nav>
  );
}

/** How many questions are open, if there are any. */
function Open() {
  const found = useQuery(questionCount()).data;
  if (!found?.open) return null;
  return (
    <span className={styles.open}>
      {found.open}
      {found.truncated && "+"} <span className="sr-only">open</span>
    </span>
  );
}

/** Only while a file does not load, with how many. */
function BrokenFiles({ team }: { team: string }) {
  const count = useQuery(importErrors()).data?.items.length ?? 0;
  if (count === 0) return null;
  return (
    <Link
      to="/t/$team/import-errors"
      params={{ team }}
      className={`${styles.item} ${styles.beyond}`}
    >
      <FileWarning size={16} aria-hidden />
      Broken files
      <span className={styles.count}>{count}</span>
    </Link>
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
      <TeamLinks team={team} />
    </Menu>
  );
}

/** Another team's pages are loaded anew: nothing of the one before is kept. */
function TeamLinks({ team }: { team: string }) {
  return (
    <>
      <MenuLabel>Teams</MenuLabel>
      {useSession().teams.map(({ name, role }) => (
        <MenuLink key={name}>
          <Link
            to="/t/$team/overview"
            params={{ team: name }}
            preload={false}
            reloadDocument
            aria-current={name === team ? "true" : undefined}
          >
            {name} · {role}
          </Link>
        </MenuLink>
      ))}
    </>
  );
}
