import { ArrowDownToLine, ChevronDown, ChevronUp, Download, WrapText } from "lucide-react";
import { type LogKey, logDownload } from "@/api/logs.ts";
import { bytes, counted, number } from "@/lib/count.ts";
import type { Level } from "@/lib/level.ts";
import { Button, buttonClass, IconButton } from "@/parts/Button.tsx";
import { FilterChoice, FilterText } from "@/parts/FilterBar.tsx";
import { Tooltip } from "@/parts/Tooltip.tsx";
import type { LogChoices } from "./choices.ts";
import styles from "./LogPanel.module.css";

const LEVEL_CHOICES: readonly { value: Level; shown: string }[] = [
  { value: "error", shown: "errors" },
  { value: "warning", shown: "warnings and errors" },
  { value: "info", shown: "info and above" },
];

interface Hits {
  at: number;
  found: number;
  more: boolean;
}

export function LogToolbar({
  log,
  choices,
  choose,
  hits,
  turn,
  lines,
  size,
  known,
  live,
  follow,
  setFollow,
}: {
  log: LogKey;
  choices: LogChoices;
  choose: (choices: Partial<LogChoices>) => void;
  hits: Hits;
  turn: (by: number) => void;
  lines: number;
  size: number;
  known: boolean;
  live: boolean;
  follow: boolean;
  setFollow: (follow: boolean) => void;
}) {
  return (
    <search className={styles.toolbar} aria-label="Log">
      {/* biome-ignore lint/a11y/noStaticElementInteractions: Enter in the field goes to the next */}
      <span
        className={styles.search}
        onKeyDown={(event) => event.key === "Enter" && turn(event.shiftKey ? -1 : 1)}
      >
        <FilterText
          label="Search the log"
          value={choices.q ?? ""}
          onChange={(q) => choose({ q: q || undefined })}
        />
      </span>
      {choices.q && <Turn hits={hits} turn={turn} />}
      <FilterChoice
        label="Level"
        value={choices.level}
        options={LEVEL_CHOICES}
        onChange={(level) => choose({ level: level as Level | undefined })}
      />
      <span className={styles.size}>
        {counted(lines, "line")} · {bytes(size)}
        {known && (
          <>
            {" · "}
            <span role="status">{live ? "being written" : "complete"}</span>
          </>
        )}
      </span>
      <Button
        small
        aria-pressed={follow}
        title={live ? "Follow new lines" : "Go to the end"}
        onClick={() => {
          choose({ level: undefined });
          setFollow(!follow);
        }}
      >
        <ArrowDownToLine size={14} aria-hidden />
        {live ? "Follow" : "End"}
        {live && follow && <span className={styles.live} aria-hidden />}
      </Button>
      <Button
        small
        aria-pressed={choices.wrap ?? false}
        onClick={() => choose({ wrap: choices.wrap ? undefined : true })}
      >
        <WrapText size={14} aria-hidden />
        Wrap
      </Button>
      <Tooltip text="Download the whole log">
        <a
          href={logDownload(log)}
          download
          className={buttonClass({ look: "quiet", small: true }, true)}
          aria-label="Download the whole log"
        >
          <Download size={14} aria-hidden />
        </a>
      </Tooltip>
    </search>
  );
}

function Turn({ hits, turn }: { hits: Hits; turn: (by: number) => void }) {
  const words = hits.found === 0 ? "no matches" : `${number(hits.at + 1)} of ${number(hits.found)}`;
  return (
    <span className={styles.turn}>
      <span role="status">
        {hits.found === 0 && hits.more ? "…" : `${words}${hits.more ? "+" : ""}`}
      </span>
      <IconButton small label="Previous match" disabled={hits.found === 0} onClick={() => turn(-1)}>
        <ChevronUp size={14} />
      </IconButton>
      <IconButton small label="Next match" disabled={hits.found === 0} onClick={() => turn(1)}>
        <ChevronDown size={14} />
      </IconButton>
    </span>
  );
}
