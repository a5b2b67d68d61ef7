"""``headway doctor``: check this machine for common problems."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Final

import msgspec
import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import located, show
from headway.cli.terminal import say
from headway.config import Layout, ServerFile
from headway.core.foreign import foreign
from headway.errors import HeadwayError

if TYPE_CHECKING:
    from headway.client import Client

DISK_BYTES_MIN: Final = 500_000_000
SET_ASIDE_MAX: Final = 10  # runs of one state that are told


class Finding(msgspec.Struct, frozen=True):
    what: str
    ok: bool
    detail: str
    hint: str = ""


def doctor(
    data: Data = None,
    port: Annotated[int, typer.Option(help="The port that `headway up` would use.")] = config.PORT,
    output: Format = Output.TABLE,
) -> None:
    """Find what keeps Headway from working, and how to fix it."""
    layout = config.layout(data)
    findings = [*machine(), *directory(layout)]
    server = config.read_server_file(layout)
    findings += [*walls(layout), *running(server)] if server is not None else [free_port(port)]
    rows = [("ok" if f.ok else "WRONG", f.what, f.detail) for f in findings]
    show(findings, output, ("", "WHAT", "FOUND"), rows)
    wrong = [finding for finding in findings if not finding.ok]
    for advice in dict.fromkeys(f"{finding.what}: {finding.hint}" for finding in wrong):
        say(advice)
    if wrong:
        raise typer.Exit(1)


def machine() -> Iterator[Finding]:
    version = ".".join(map(str, sys.version_info[:3]))
    yield Finding(
        "python", sys.version_info >= (3, 11), version, "Headway needs Python 3.11 or newer"
    )
    yield postgres()


def postgres() -> Finding:
    try:
        from headway.pg.binaries import installed

        return Finding("postgres", True, str(installed().program("postgres")))
    except (HeadwayError, ImportError) as error:
        return Finding(
            "postgres",
            False,
            str(error),
            "reinstall Headway, or use your own PostgreSQL with --database-url",
        )


def directory(layout: Layout) -> Iterator[Finding]:
    place = layout.data
    while not place.exists():
        place = place.parent
    writable = os.access(place, os.W_OK | os.X_OK)
    yield Finding(
        "data directory",
        writable,
        str(layout.data) if layout.data.exists() else f"{layout.data} (will be created)",
        f"{place} is not writable: choose another directory with --data",
    )
    free = shutil.disk_usage(place).free
    yield from log_store(layout)
    yield Finding(
        "disk",
        free >= DISK_BYTES_MIN,
        f"{free / 1e9:.1f} GB free",
        "free disk space, or choose a data directory on another disk with --data",
    )


def log_store(layout: Layout) -> Iterator[Finding]:
    from headway.logs import status

    shipping = status.read(layout)
    if shipping is not None:
        yield Finding(
            "log store",
            not shipping.error,
            str(shipping),
            "fix its URL, credentials or bucket; until then logs stay in the data directory",
        )


def free_port(port: int) -> Finding:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((config.HOST, port))
        except OSError as error:
            return Finding("port", False, f"{port}: {error.strerror}", "choose another with --port")
    return Finding("port", True, f"{port} is free")


def running(server: ServerFile) -> Iterator[Finding]:
    """Check the running server."""
    from headway.client import connect

    client = connect(server)
    try:
        health = client.health()
        for part in health.components:
            yield Finding(part.name, part.healthy, part.detail, advice_on(part.name))
        if any(part.name == "database" and not part.healthy for part in health.components):
            return  # all else is in it
        for error in client.import_errors():
            detail = f"{located(error.file, error.line)}: {error.message}"
            hint = "fix the file, then run: headway check"
            yield Finding("DAG file", False, detail, hint)
        yield from missing_pools(client)
        yield from set_aside(client)
    except HeadwayError as error:
        yield Finding("server", False, str(error), "restart `headway up`")


def walls(layout: Layout) -> Iterator[Finding]:
    """Check what keeps the teams of the running server apart."""
    from headway.up.walls import read

    found = read(layout)
    if found is not None:
        gap, _, hint = found.database.partition("; ")
        yield Finding("rows", not gap, gap or "the API has a login of its own", hint)
        told = found.processes or "each team has a user id of its own"
        yield Finding("processes", True, told)


def advice_on(part: str) -> str:
    if part.startswith("disk"):
        return "free disk space; until then no new data can be stored"
    if part == "canary":
        return "look at the agents of the team, in logs/server or on their machines"
    return "look in logs/server, or restart: headway up"


def missing_pools(client: "Client") -> Iterator[Finding]:
    known = {pool.name for pool in client.pools()}
    for dag in client.dags():
        spec = client.dag(dag.dag_id).spec
        for pool in sorted({task.pool for task in spec.tasks} - known):
            if other := foreign(pool):
                detail = f"{dag.dag_id} uses pool {pool}, which is not shared with this team"
                hint = f"headway grant ask {other.team} use_pool {other.name}"
                yield Finding("pool", False, detail, hint)
                continue
            detail = f"{dag.dag_id} uses pool {pool}, which does not exist"
            yield Finding("pool", False, detail, f"headway pool set {pool} 8")


def set_aside(client: "Client") -> Iterator[Finding]:
    for state in ("running", "queued"):
        for run in client.runs(SET_ASIDE_MAX, state=state, set_aside=True):
            short = run.run_id[:6]
            yield Finding(
                f"run {short}",
                False,
                f"of {run.dag_id}: {run.reason}",
                f"headway why {short} shows what you can do; the error is in logs/server/scheduler.log",
            )
