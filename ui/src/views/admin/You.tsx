import { Check, Minus } from "lucide-react";
import { ROLES, VERB_WORDS, VERBS } from "@/api/words.ts";
import { useSession } from "@/state/session.ts";
import styles from "./You.module.css";

/** What somebody may do here, and why. */
export function You() {
  const { user, team, role, verbs, via, dag_ids, is_platform_admin } = useSession();
  const least = (verb: string) =>
    Object.entries(ROLES).find(([, of]) => (of as readonly string[]).includes(verb))?.[0];
  const allowed = VERBS.filter((verb) => verbs.includes(verb)).length;
  return (
    <section
      className={styles.page}
      // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
      tabIndex={0}
      aria-label="Your access"
    >
      <p>
        {user.name} has the role <b>{role}</b> in team <b>{team}</b>
        {via.startsWith("token:") && ", narrowed by the token of this session"}.{" "}
        {allowed === VERBS.length
          ? `It allows all ${VERBS.length} actions.`
          : `You may do ${allowed} of ${VERBS.length} actions.`}
        {dag_ids && ` Only for ${dag_ids.join(", ")}.`}
        {is_platform_admin && " As a platform admin, you also create, change and delete teams."}
      </p>
      <ul className={styles.verbs} aria-label="What you may do">
        {VERBS.map((verb) => {
          const held = verbs.includes(verb);
          const Icon = held ? Check : Minus;
          return (
            <li key={verb} data-held={held}>
              <Icon size={14} aria-hidden />
              <span>
                {VERB_WORDS[verb]} <code>{verb}</code>
              </span>
              {!held && <small>needs the role {least(verb)}</small>}
            </li>
          );
        })}
      </ul>
      {allowed < VERBS.length && (
        <p>An admin of the team can give you another role, or define one with more verbs.</p>
      )}
    </section>
  );
}
