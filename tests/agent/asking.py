"""Triggers and watchers that ask for connections and variables, for ``test_trigger_asks``."""

import asyncio
import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path

from headway import WatcherEvent, aconnection, avariable, connection, mask_secret, variable
from headway.authoring.looking import looked


async def in_the_loop(conn_id: str) -> dict[str, object]:
    found = connection(conn_id)
    print("the password is", found.password)
    return {"login": found.login, "dsn": f"postgres://{found.password}@db"}


async def awaits(conn_id: str) -> str | None:
    return (await aconnection(conn_id)).login


async def in_a_thread(key: str) -> list[str]:
    loop = asyncio.get_running_loop()
    return [
        await asyncio.to_thread(variable, key),
        await loop.run_in_executor(None, variable, key),
        await avariable(key),
    ]


async def in_a_thread_by_hand(key: str) -> str:
    told = []

    def work() -> None:
        try:
            variable(key)
        except RuntimeError as error:
            told.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(thread.join)
    return told[0]


async def in_a_fork(key: str) -> str:
    read_end, write_end = os.pipe()
    if os.fork() == 0:
        try:
            variable(key)
        except RuntimeError as error:
            os.write(write_end, str(error).encode())
        os._exit(0)
    return os.read(read_end, 4096).decode()


async def looks(key: str) -> str | None:
    """Each look asks anew."""
    found = await avariable(key, default=None)
    looked(f"it is {found}")
    return found if found == "there" else None


async def optional(key: str) -> object:
    return await avariable(key, default="none")


async def many(count: int) -> list[str]:
    found: list[str] = await asyncio.gather(*(avariable(f"v{n}") for n in range(count)))
    return found


async def raises(conn_id: str) -> None:
    raise ValueError(f"cannot log in with {(await aconnection(conn_id)).password}")


async def splits(conn_id: str) -> bool:
    password = str((await aconnection(conn_id)).password)
    half = len(password) // 2
    print("a line with ", end="")
    print(password[:half], end="")
    print(password[half:])
    print(f"and no end: {password}", end="")
    return True


async def hears(path: str) -> str:
    """Say what another trigger of this process has been handed."""
    while not Path(path).exists():
        await asyncio.sleep(0.01)
    print("heard:", Path(path).read_text())
    return Path(path).read_text()


async def announces() -> str:
    mask_secret("my-own-secret")
    print("it is my-own-secret")
    return "done"


async def turns(path: str) -> bool:
    """Show that the loop turns."""
    while True:
        Path(path).write_text(str(os.getpid()))
        await asyncio.sleep(0.01)


async def letters(conn_id: str, cursor: int | None) -> AsyncIterator[WatcherEvent]:
    password = (await aconnection(conn_id)).password
    looked(f"looks with {password}")
    yield WatcherEvent({"by": password}, partition=f"of-{password}", key=password, cursor=1)
    raise OSError(f"refused {password}")


async def keeps(conn_id: str) -> AsyncIterator[WatcherEvent]:
    yield WatcherEvent({}, cursor={"session": [(await aconnection(conn_id)).password]})


class Held:
    """A watcher that asks once and stays."""

    def __init__(self, conn_id: str) -> None:
        self.conn_id = conn_id

    async def run(self) -> AsyncIterator[WatcherEvent]:
        found = await aconnection(self.conn_id)
        yield WatcherEvent({"login": found.login})
        await asyncio.Event().wait()
