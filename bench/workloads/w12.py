"""W12: 10,000 tasks that wait in a triggerer, and one that is told what it waits for."""

import asyncio
import os
from pathlib import Path
from typing import Final

from loads import WIDE, items, mark_first_line

from headway import Run, Trigger, dag, defer, task

NEWS: Final[dict[str, asyncio.Future[str]]] = {}


async def told(folder: str, item: int) -> str:
    """Wait for the line ``item path`` in the pipe of the folder. Returns the path."""
    if not NEWS:
        listen(Path(folder))
    NEWS[str(item)] = asyncio.get_running_loop().create_future()
    return await NEWS[str(item)]


def listen(folder: Path) -> None:
    """One reader for all who wait, as a client of a message queue would be."""
    pipe = os.open(folder / "news", os.O_RDWR | os.O_NONBLOCK)
    (folder / f"triggerer.{os.getpid()}").touch()

    def read() -> None:
        for line in os.read(pipe, 65_536).decode().splitlines():
            item, _, path = line.partition(" ")
            NEWS[item].set_result(path)

    asyncio.get_running_loop().add_reader(pipe, read)


@dag(params={"folder": ""})
def w12() -> None:
    @task
    def wait(item: int, run: Run) -> None:
        if run.found is None:
            defer(Trigger(told, folder=str(run.params["folder"]), item=item))
        mark_first_line(str(run.found))

    wait.expand(item=items(WIDE))
