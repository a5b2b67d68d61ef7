import { Link, useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { LogKey } from "@/api/logs.ts";
import { plain } from "@/lib/ansi.ts";
import { levelOf } from "@/lib/level.ts";
import { messageOf } from "@/parts/ErrorState.tsx";
import { useShortcuts } from "@/state/keyboard.ts";
import { useTeam } from "@/state/session.ts";
import { LogSheet } from "@/views/log/LogSheet.tsx";
import { removedSentence } from "@/views/log/removed.ts";
import { useLog } from "@/views/log/useLog.ts";
import styles from "./Drawer.module.css";
import { Section } from "./Section.tsx";

const LOOK_BACK = 200;

/** The end of a log, growing; of one that failed, with the line that says so in view. */
export function LogTail({ log, failed }: { log: LogKey; failed: boolean }) {
  const team = useTeam();
  const { source, complete, known, failed: refused } = useLog(log);
  const [follow, setFollow] = useState(true);
  const line = failed && complete ? lastError(source) : null;
  const to = {
    to: "/t/$team/runs/$run/log",
    params: { team, run: log.run },
    search: { task: log.task, map: log.map < 0 ? undefined : log.map, try: log.attempt },
  } as const;
  const navigate = useNavigate();
  useShortcuts([{ keys: "l", does: "Open the log", run: () => navigate(to) }]);
  const page = (
    <Link className={styles.link} {...to}>
      Open the log
    </Link>
  );
  return (
    <Section title="Log" aside={page}>
      {refused && !known ? (
        <p className={styles.none}>{removedSentence(refused) ?? messageOf(refused)}</p>
      ) : known && source.lines === 0 ? (
        <p className={styles.none}>{complete ? "This log is empty." : "No output yet."}</p>
      ) : (
        <div className={styles.log} data-few={source.lines < 8}>
          <LogSheet
            source={source}
            wrap
            needle=""
            marks={line === null ? null : { first: line, last: line }}
            goal={null}
            follow={follow}
            setFollow={setFollow}
          />
        </div>
      )}
    </Section>
  );
}

/** The number of the last line that tells of an error, if it is near the end. */
function lastError(source: ReturnType<typeof useLog>["source"]): number | null {
  const least = Math.max(0, source.lines - LOOK_BACK);
  for (let index = source.lines - 1; index >= least; index -= 1) {
    const line = source.at(index);
    if (line && levelOf(plain(line.text)) === "error") return index + 1;
  }
  return null;
}
