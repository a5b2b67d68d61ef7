import { ChevronDown, X } from "lucide-react";
import { type Span, spanWords, WITHIN, withinWord } from "@/lib/span.ts";
import { Button } from "./Button.tsx";
import styles from "./FilterBar.module.css";
import { Menu, MenuCheck, MenuLabel, MenuSeparator } from "./Menu.tsx";

const ANY: Span = { within: undefined, from: undefined, to: undefined };

/** Of which time: up to now, or from a day to a day. */
export function SpanChoice({ span, onChange }: { span: Span; onChange: (span: Span) => void }) {
  const words = spanWords(span);
  return (
    <>
      <Menu
        align="start"
        trigger={
          <Button small>
            Time
            {words && <span className={styles.chosen}>{words}</span>}
            <ChevronDown size={14} aria-hidden />
          </Button>
        }
      >
        {WITHIN.map((each) => (
          <MenuCheck
            key={each}
            checked={each === span.within}
            onChange={(on) => onChange({ ...ANY, within: on ? each : undefined })}
          >
            {withinWord(each)}
          </MenuCheck>
        ))}
        <MenuSeparator />
        <MenuLabel>From day to day</MenuLabel>
        <div className={styles.days}>
          <Day label="First day" name="from" span={span} onChange={onChange} />
          <Day label="Last day" name="to" span={span} onChange={onChange} />
        </div>
      </Menu>
      {words && (
        <Button small look="quiet" aria-label="Any Time" onClick={() => onChange(ANY)}>
          <X size={14} />
        </Button>
      )}
    </>
  );
}

function Day({
  label,
  name,
  span,
  onChange,
}: {
  label: string;
  name: "from" | "to";
  span: Span;
  onChange: (span: Span) => void;
}) {
  return (
    <label>
      {label}
      <input
        type="date"
        value={span[name] ?? ""}
        onChange={({ target }) =>
          onChange({ ...span, within: undefined, [name]: target.value || undefined })
        }
        // The keys are the field's, not the menu's; but for the one that closes it.
        onKeyDown={(event) => event.key !== "Escape" && event.stopPropagation()}
      />
    </label>
  );
}
