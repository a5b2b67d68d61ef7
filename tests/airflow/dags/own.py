from headway import dag, task


@dag
def own():
    @task
    def one() -> int:
        return 1

    one()
