"""A task that asks for what the team does not have."""

from airflow.sdk import Variable, dag, task


@dag(schedule=None)
def lacking():
    @task
    def lacks():
        return Variable.get("nosuch")

    lacks()


lacking()
