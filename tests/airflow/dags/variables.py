"""Tasks that set, list and delete variables, as those that keep a mark of how far they are."""

from airflow.sdk import Variable, dag, task


@dag(schedule=None)
def writes_variables():
    @task
    def change():
        Variable.set("written_id", "7", description="of orders")
        Variable.set("written_id", "42")
        Variable.set("written_shape", {"a": [1]}, serialize_json=True)
        Variable.set("written_gone", "x")
        Variable.delete("written_gone")
        Variable.delete("written_never")
        Variable.set("written_token", "a-word-to-hide")

    @task
    def read():
        shape = Variable.get("written_shape", deserialize_json=True)
        print("last_id", Variable.get("written_id"), shape, Variable.get("colour"))
        print("token", Variable.get("written_token"))
        if hasattr(Variable, "keys"):
            print("keys", sorted(Variable.keys(prefix="written_")))

    @task
    def refused():
        try:
            Variable.set("not a key", "x")
        except Exception as error:
            print("refused", error)

    change() >> read() >> refused()


writes_variables()
