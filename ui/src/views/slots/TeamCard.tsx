import type { Slots, TeamShare } from "@/api/types.ts";
import { number } from "@/lib/count.ts";
import { Meter } from "@/parts/Meter.tsx";
import { Card } from "@/parts/Page.tsx";
import styles from "./Slots.module.css";

/** What the team uses of the slots that all teams share; for a platform admin, what each team uses. */
export function TeamCard({ slots }: { slots: Slots }) {
  const { team, capacity } = slots;
  if (team.allotted === null) return null;
  return (
    <Card title={`Team ${team.team}`}>
      <div className={styles.use}>
        <div className={styles.summary}>
          <p>
            <span className={styles.figure}>
              {number(team.used)} of {number(team.allotted)}
            </span>{" "}
            in use
          </p>
          <Meter wide used={team.used} of={team.allotted} label="Slots of your team in use" />
          <p className={styles.muted}>{standing(team)}</p>
          {capacity !== null && (
            <p className={styles.muted}>All teams share {number(capacity)} slots.</p>
          )}
        </div>
        {slots.teams.length > 0 && <Teams teams={slots.teams} />}
      </div>
    </Card>
  );
}

function Teams({ teams }: { teams: TeamShare[] }) {
  return (
    <div>
      <h3>All teams</h3>
      <ul>
        {teams.map((team) => (
          <li key={team.team}>
            <span>
              {team.team} <span className={styles.muted}>{standing(team)}</span>
            </span>
            <span className="tabular">
              {number(team.used)} of {number(team.allotted ?? 0)}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function standing(team: TeamShare): string {
  const facts = [
    team.slots === null ? "no slots of its own" : `${number(team.slots)} of its own`,
    `weight ${team.weight}`,
  ];
  if (team.borrowed) facts.push(`${number(team.borrowed)} borrowed`);
  if (team.lent) facts.push(`${number(team.lent)} lent`);
  if (team.short) facts.push("waits for more");
  return facts.join(", ");
}
