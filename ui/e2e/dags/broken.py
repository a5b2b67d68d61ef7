"""Cannot be loaded: a word that Headway does not know."""

from headway import dag, task


@dag(shedule="@daily")
def broken():
    @task
    def nothing() -> None:
        pass

    nothing()


broken()
