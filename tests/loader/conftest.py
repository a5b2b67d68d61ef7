"""A DAG folder to write into, and a loader on a real database that does what there is to do when asked."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.loader.environment import clean_environment
from headway.loader.importer import Importer, Job
from headway.loader.loader import Loader
from headway.store.transact import connect

DAG = """
from headway import dag, task


@dag(dag_id="{dag_id}", tags=["{tag}"])
def define():
    @task
    def work(): ...

    work()


define()
"""

LoaderMaker = Callable[[], Loader]


class Folder:
    """Files of a DAG folder."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()

    def write(self, path: str, text: str) -> Path:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        return file

    def dag(self, path: str, dag_id: str, tag: str = "a", before: str = "") -> Path:
        return self.write(path, before + DAG.format(dag_id=dag_id, tag=tag))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path / "dags")


@pytest.fixture
def make_loader(dsn: str, tmp_path: Path, folder: Folder) -> Iterator[LoaderMaker]:
    """Each call is another loader process's state on the same data directory and database."""
    made: list[Loader] = []

    def make() -> Loader:
        loader = Loader(lambda: connect(dsn), tmp_path / "data", folder.root, "default")
        loader.open(clean_environment(os.environ))
        made.append(loader)
        return loader

    yield make
    for loader in made:
        loader.close()


@pytest.fixture
def loader(make_loader: LoaderMaker) -> Loader:
    return make_loader()


def rows(conn: Connection[Any], query: str) -> list[tuple[Any, ...]]:
    return conn.execute(query.encode()).fetchall()


def dags(conn: Connection[Any]) -> dict[str, tuple[Any, ...]]:
    """By DAG: number, file, missing."""
    found = rows(conn, "SELECT dag_id, version, file, missing_since IS NOT NULL FROM dag")
    return {row[0]: row[1:] for row in found}


def errors(conn: Connection[Any]) -> dict[str, tuple[int | None, str]]:
    """By file: line and message."""
    found = rows(conn, "SELECT file, line, message FROM import_error")
    return {file: (line, message) for file, line, message in found}


@pytest.fixture
def imported(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that were imported, in order."""
    started: list[str] = []
    start = Importer.start

    def record(self: Importer, job: Job) -> None:
        started.append(job.file)
        start(self, job)

    monkeypatch.setattr(Importer, "start", record)
    return started
