"""The client's calls for runs that Airflow did."""

from headway import wire
from headway.client.connection import Connection, segment


class AirflowRuns(Connection):
    def airflow_dags(self) -> list[wire.AirflowDag]:
        """Return the DAGs of which runs were imported from Airflow."""
        return list(self.all_pages("/airflow-dags", wire.AirflowDag))

    def airflow_runs(self, dag_id: str, limit: int) -> list[wire.AirflowRun]:
        """Return the newest runs that Airflow did of a DAG."""
        path = f"/dags/{segment(dag_id)}/airflow-runs"
        return self.get(path, wire.Page[wire.AirflowRun], {"limit": limit}).items

    def airflow_run(self, dag_id: str, run_id: str) -> wire.AirflowRunDetail:
        path = f"/dags/{segment(dag_id)}/airflow-run"
        return self.get(path, wire.AirflowRunDetail, {"airflow_run": run_id})

    def import_airflow_runs(
        self, dag_id: str, request: wire.AirflowRunsRequest
    ) -> wire.AirflowRunsAnswer:
        path = f"/dags/{segment(dag_id)}/airflow-runs"
        return self.post(path, request, wire.AirflowRunsAnswer)

    def forget_airflow_runs(self, dag_id: str) -> None:
        self.ask("DELETE", f"/dags/{segment(dag_id)}/airflow-runs", None, {})
