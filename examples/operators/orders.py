"""Operators of one's own in a DAG, and a run of another DAG for each column whose values are too few."""

from tables import CountRows, FileHasRows

from headway import dag, task, trigger_dag


@dag
def orders(path: str = "/data/orders.csv", least: int = 2) -> None:
    @task
    def poor(counts: dict[str, int], least: int) -> list[dict[str, str]]:
        return [{"column": name} for name, count in counts.items() if count < least]

    arrived = FileHasRows("arrived", path=path, poke_interval=30, timeout=3_600)
    counts = {
        name: CountRows(f"count_{name}", path=path, column=name) for name in ("customer", "price")
    }
    for count in counts.values():
        arrived >> count
    trigger_dag.partial("complain", dag_id="complaint").expand(params=poor(counts, least))


@dag
def complaint(column: str = "") -> None:
    @task
    def write(column: str) -> str:
        return f"the column {column} has too few values"

    write(column)


orders()
complaint()
