import {
  Activity,
  ChartGantt,
  CirclePlay,
  Database,
  History,
  House,
  Layers,
  type LucideIcon,
  MessageCircleQuestionMark,
  Network,
  ScrollText,
  Shield,
  Workflow,
} from "lucide-react";
import type { Role } from "@/api/types.ts";

/** The pages of a team, in the order of the side navigation. */
export const PAGES = [
  { to: "/t/$team/overview", word: "Home", icon: House, keys: "g h", needs: "viewer" },
  { to: "/t/$team/dags", word: "DAGs", icon: Workflow, keys: "g d", needs: "viewer" },
  { to: "/t/$team/runs", word: "Runs", icon: CirclePlay, keys: "g r", needs: "viewer" },
  { to: "/t/$team/logs", word: "Logs", icon: ScrollText, keys: "g l", needs: "viewer" },
  {
    to: "/t/$team/questions",
    word: "Questions",
    icon: MessageCircleQuestionMark,
    keys: "g q",
    needs: "viewer",
  },
  { to: "/t/$team/timeline", word: "Timeline", icon: ChartGantt, keys: "g t", needs: "viewer" },
  {
    to: "/t/$team/dependencies",
    word: "Dependencies",
    icon: Network,
    keys: "g n",
    needs: "viewer",
  },
  { to: "/t/$team/assets", word: "Assets", icon: Database, keys: "g w", needs: "viewer" },
  { to: "/t/$team/slots", word: "Slots", icon: Layers, keys: "g s", needs: "viewer" },
  { to: "/t/$team/backfills", word: "Backfills", icon: History, keys: "g b", needs: "viewer" },
  { to: "/t/$team/events", word: "Events", icon: Activity, keys: "g e", needs: "viewer" },
  { to: "/t/$team/admin", word: "Admin", icon: Shield, keys: "g a", needs: "viewer" },
] as const satisfies readonly {
  to: string;
  word: string;
  icon: LucideIcon;
  keys: string;
  needs: Role;
}[];

/** How many of them stand in the bar at the bottom of a phone; the others are behind "More". */
export const IN_BAR = 4;
