"""Connections and variables of the team, in the way that hooks of providers use them."""

from airflow.sdk import BaseHook, Variable, dag, task


@dag(schedule=None)
def secrets():
    @task
    def use():
        found = BaseHook.get_connection("warehouse")
        print("connection", found.host, found.login, found.port, found.schema, found.extra_dejson)
        print("password", found.password, len(found.password))
        print("variable", Variable.get("colour"), Variable.get("nosuch", default="red"))
        try:
            BaseHook.get_connection("nosuch")
        except Exception as error:
            print("missing", error)

    use()


secrets()
