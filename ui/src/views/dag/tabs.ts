/** The views of a DAG, in the order of its tabs. */
export const TABS = [
  { to: "/t/$team/dags/$dag/grid", word: "Grid" },
  { to: "/t/$team/dags/$dag/graph", word: "Graph" },
  { to: "/t/$team/dags/$dag/gantt", word: "Gantt" },
  { to: "/t/$team/dags/$dag/runs", word: "Runs" },
  { to: "/t/$team/dags/$dag/calendar", word: "Calendar" },
  { to: "/t/$team/dags/$dag/durations", word: "Durations" },
  { to: "/t/$team/dags/$dag/code", word: "Code" },
  { to: "/t/$team/dags/$dag/versions", word: "Versions" },
] as const;
