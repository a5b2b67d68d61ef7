"""Fails until somebody puts a file beside it: broken, understood, mended, retried."""

from pathlib import Path

from headway import dag, task


@dag(tags=["ops"])
def mended(file: str = ""):
    @task
    def read(file: str) -> str:
        return Path(file).read_text()

    @task
    def use(text: str) -> int:
        return len(text)

    use(read(file))


mended()
