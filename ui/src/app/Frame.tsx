import { Outlet } from "@tanstack/react-router";
import { useState } from "react";
import { useFollow } from "@/state/live.ts";
import { Away } from "./Away.tsx";
import styles from "./Frame.module.css";
import { KeyboardHelp } from "./KeyboardHelp.tsx";
import { SearchPalette } from "./SearchPalette.tsx";
import { SideNav } from "./SideNav.tsx";
import { useGlobalShortcuts } from "./shortcuts.ts";
import { TopBar } from "./TopBar.tsx";
import { useShownZone } from "./useShownZone.ts";

/** What stands around every page of a team. */
export function Frame() {
  const [open, setOpen] = useState<"search" | "keys" | null>(null);
  const shortcuts = useGlobalShortcuts(setOpen);
  useFollow();
  const zone = useShownZone();
  return (
    <div className={styles.frame}>
      <a className={styles.skip} href="#main">
        Skip to the content
      </a>
      <TopBar zone={zone} search={() => setOpen("search")} keys={() => setOpen("keys")} />
      <SideNav />
      <main id="main" className={styles.main} tabIndex={-1}>
        <Outlet key={zone} />
      </main>
      <Away />
      {open === "search" && <SearchPalette close={() => setOpen(null)} />}
      {open === "keys" && <KeyboardHelp shortcuts={shortcuts} close={() => setOpen(null)} />}
    </div>
  );
}
