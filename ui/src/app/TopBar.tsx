import { Search } from "lucide-react";
import { Tooltip } from "@/parts/Tooltip.tsx";
import { type Liveness, useLiveness } from "@/state/live.ts";
import { useAway } from "@/state/reach.ts";
import { Breadcrumb } from "./Breadcrumb.tsx";
import styles from "./TopBar.module.css";
import { YouMenu } from "./YouMenu.tsx";
import { ZoneMenu } from "./ZoneMenu.tsx";

/** Where one is, the search, whose clock is shown, whether the page is live, and who one is. */
export function TopBar({
  zone,
  search,
  keys,
}: {
  zone: string;
  search: () => void;
  keys: () => void;
}) {
  return (
    <header className={styles.bar}>
      <Breadcrumb className={styles.crumbs ?? ""} />
      <button type="button" className={styles.search} onClick={search} aria-label="Search">
        <Search size={14} aria-hidden />
        <span>Search…</span>
        <kbd>/</kbd>
      </button>
      <ZoneMenu zone={zone} />
      <LiveMark />
      <YouMenu className={styles.you ?? ""} keys={keys} />
    </header>
  );
}

const WORDS: Record<Liveness, [word: string, meaning: string]> = {
  connecting: ["connecting", "Connecting to live updates"],
  live: ["live", "Changes appear as they happen"],
  stale: [
    "polling",
    "Live updates are interrupted. This page refreshes every 10 s until they are back.",
  ],
};

const UNREACHABLE = ["unreachable", "The server does not answer. It is asked every 2 s."] as const;

function LiveMark() {
  const liveness = useLiveness();
  const away = useAway() !== null;
  const [word, meaning] = away ? UNREACHABLE : WORDS[liveness];
  return (
    <Tooltip text={meaning}>
      <span className={styles.live} data-liveness={away ? "away" : liveness} role="status">
        <i aria-hidden />
        <span>{word}</span>
      </span>
    </Tooltip>
  );
}
