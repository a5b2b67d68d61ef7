"""A mapped task group: each index on its own, with its own results."""

from airflow.sdk import dag, task, task_group


@dag(schedule=None)
def grouped():
    @task
    def numbers():
        return [1, 2, 3]

    @task_group
    def each(number, factor):
        @task
        def check(x):
            if x == 2:
                raise ValueError("no twos")
            return x + 1

        @task
        def multiply(x, original, factor):
            print(f"{x} of {original}")
            return x * factor

        return multiply(check(number), number, factor)

    @task(trigger_rule="all_done")
    def total(values):
        print(f"adding {list(values)}")

    total(each.partial(factor=10).expand(number=numbers()))


grouped()
