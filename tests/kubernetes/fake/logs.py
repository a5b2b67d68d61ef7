"""``…/pods/NAME/log``: of which container, from when on, with times or without, and as long as it is followed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from typing import Final

from tests.kubernetes.fake import states
from tests.kubernetes.fake.containers import Log
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object

LOOK_S: Final = 0.02
READ_BYTES: Final = 256 * 1024


def chosen(pod: Object, query: dict[str, str], logs: dict[str, Log]) -> Log | None:
    """Return the log that is asked for; None of a container that has printed nothing. Raises Refused."""
    specs = [*pod["spec"]["containers"], *pod["spec"].get("initContainers", ())]
    names = [each["name"] for each in specs]
    name, pod_name = query.get("container", ""), pod["metadata"]["name"]
    if not name and len(pod["spec"]["containers"]) > 1:
        why = f"a container name must be specified for pod {pod_name}, choose one of: [{' '.join(names)}]"
        raise Refused(400, "BadRequest", why)
    name = name or names[0]
    if name not in names:
        raise Refused(400, "BadRequest", f"container {name} is not valid for pod {pod_name}")
    waiting = states.state_of(pod, name).get("waiting")
    if waiting is not None and name not in logs:
        why = f'container "{name}" in pod "{pod_name}" is waiting to start: {waiting["reason"]}'
        raise Refused(400, "BadRequest", why)
    return logs.get(name)


async def told(
    log: Log, query: dict[str, str], goes_on: Callable[[], bool]
) -> AsyncIterator[bytes]:
    """Yield what the log has, and what comes, while ``goes_on``."""
    follows, timed = (query.get(word) == "true" for word in ("follow", "timestamps"))
    since = query.get("sinceTime")
    first = None if since is None else datetime.fromisoformat(since)
    with log.path.open("rb") as file:
        rest = b""
        while goes_on():
            is_over = log.is_over
            data = file.read(READ_BYTES)
            *lines, rest = (rest + data).split(b"\n")
            ends = [line + b"\n" for line in lines]
            if not data and is_over and rest:
                ends, rest = [rest], b""
            if found := b"".join(shown(line, timed=timed) for line in ends if wanted(line, first)):
                yield found
            if not data and (is_over or not follows):
                return
            if not data:
                await asyncio.sleep(LOOK_S)


def wanted(line: bytes, first: datetime | None) -> bool:
    stamp = line.partition(b" ")[0].decode()
    return first is None or datetime.fromisoformat(stamp) >= first


def shown(line: bytes, *, timed: bool) -> bytes:
    return line if timed else line.partition(b" ")[2]
