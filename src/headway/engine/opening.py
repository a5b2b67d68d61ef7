"""The executors of a scheduler process, as its settings say."""

from functools import partial
from pathlib import Path

from headway.config import Layout
from headway.executors.agents.asks import Service as Answering
from headway.executors.agents.doors import Outside
from headway.executors.agents.executor import Agents
from headway.executors.agents.files import Files
from headway.executors.base import Open
from headway.executors.kubernetes.settings import read_settings
from headway.secrets.service import Service


def executors_of(
    address: str,
    data: Path | None,
    secrets: Service | None = None,
    kubernetes: Path | None = None,
    *,
    ships_logs: bool = False,
    outside: Outside | None = None,
) -> list[Open]:
    """Return every executor; the first is that of tasks that name none."""
    place = None if data is None else str(data)
    answer = None if secrets is None else secrets.answer
    files = None if data is None else Files(data, Layout(data).spool if ships_logs else None)
    agents = partial(Agents, address=address, data=place, secrets=answer, files=files)
    found: list[Open] = [partial(agents, outside=outside)]
    if kubernetes is not None:
        found.append(pods(kubernetes, place or "", answer, files))
    return found


def pods(file: Path, data: str, secrets: Answering | None, files: Files | None) -> Open:
    """Return the executor of Kubernetes. Raises UsageError for what is wrong with its settings."""
    settings = read_settings(file)
    from headway.executors.kubernetes.executor import Pods  # heavy, and an extra of the package

    return partial(Pods, settings=settings, data=data, secrets=secrets, files=files)
