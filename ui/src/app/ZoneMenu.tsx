import { Clock3 } from "lucide-react";
import { Menu, MenuCheck, MenuLabel } from "@/parts/Menu.tsx";
import { type Clock, setClock, useClock } from "@/state/zone.ts";
import styles from "./TopBar.module.css";

const CLOCKS: readonly [Clock, string][] = [
  ["mine", "This computer’s time zone"],
  ["dag", "The DAG’s time zone, on pages of a DAG or run"],
  ["utc", "UTC"],
];

/** In which zone the page shows its times, and the choice of another. */
export function ZoneMenu({ zone }: { zone: string }) {
  const clock = useClock();
  return (
    <Menu
      trigger={
        <button type="button" className={styles.zone} aria-label={`Times are in ${zone}: change`}>
          <Clock3 size={14} aria-hidden />
          <span>{zone}</span>
        </button>
      }
    >
      <MenuLabel>Show times in</MenuLabel>
      {CLOCKS.map(([value, word]) => (
        <MenuCheck key={value} checked={clock === value} onChange={() => setClock(value)}>
          {word}
        </MenuCheck>
      ))}
    </Menu>
  );
}
