/** The views of a DAG, in the order of its tabs; `ofRun`: they are about one run, which stands above them. */
export const TABS = [
  { to: "/t/$team/dags/$dag/grid", word: "Grid", ofRun: true },
  { to: "/t/$team/dags/$dag/graph", word: "Graph", ofRun: true },
  { to: "/t/$team/dags/$dag/gantt", word: "Gantt", ofRun: true },
  { to: "/t/$team/dags/$dag/runs", word: "Runs", ofRun: false },
  { to: "/t/$team/dags/$dag/calendar", word: "Calendar", ofRun: false },
  { to: "/t/$team/dags/$dag/durations", word: "Durations", ofRun: false },
  { to: "/t/$team/dags/$dag/code", word: "Code", ofRun: false },
  { to: "/t/$team/dags/$dag/versions", word: "Versions", ofRun: false },
] as const;

/** Beside them, of a DAG that Airflow ran before it moved here. */
export const AIRFLOW = { to: "/t/$team/dags/$dag/airflow", word: "Airflow" } as const;
