"""The server that a command uses: the running one of the data directory, or one started for the command."""

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from headway import clock, config, frontends, wire
from headway.cli.output import located
from headway.cli.terminal import say
from headway.client import Client, client_of, connect
from headway.client.client import URL, is_elsewhere, no_server, team_asked
from headway.config import Layout
from headway.errors import NotFound, NotReachable, UsageError
from headway.loader import teams

if TYPE_CHECKING:
    from headway.up.supervisor import Supervisor

LOADED_S: Final = 60.0
IMPORTED_S: Final = 2.0  # what takes longer may be a file without a DAG
SLOW_S: Final = 30.0  # files of a heavy front end
SETTLED_S: Final = (
    10.0  # an error that stays so long, though the file loads, is not of the file alone
)
LATELY_S: Final = 60.0  # longer ago a file was written that has been read, or defines no DAG
LOOK_S: Final = 0.05
WITHOUT_DAG: Final = "the file does not define a DAG"
DAG_HINT: Final = "a DAG file has a function with @dag, or a `with DAG(…):` block"
TURN_S: Final = 0.25


@dataclass(frozen=True, slots=True)
class Target:
    """Parse what to run: ``file.py``, ``file.py:dag`` or a DAG id."""

    file: Path | None
    dag_id: str | None


@dataclass(frozen=True, slots=True)
class Place:
    client: Client
    dags: Path | None  # None: the server is elsewhere, and has DAG files of its own
    ours: bool  # started by this command and ended with it


def target_of(text: str) -> Target:
    for suffix in frontends.suffixes():
        name, found, dag_id = text.partition(f"{suffix}:")
        if found or text.endswith(suffix):
            return Target(existing(f"{name}{suffix}" if found else text), dag_id or None)
    return Target(None, text)


def existing(name: str) -> Path:
    file = Path(name)
    if not file.is_file():
        raise NotFound(
            "the file does not exist",
            where=name,
            hint="give a DAG file, file.py:dag, or the name of a DAG (headway ls)",
        )
    return Path(os.path.abspath(file))


@contextmanager
def place_of(
    layout: Layout, target: Target, dags: Path | None, database_url: str | None
) -> Iterator[Place]:
    """Connect to the server of the environment, to one with the target's DAG folder, or start one with
    ``database_url``.
    """
    if is_elsewhere():
        if target.file is not None:
            raise UsageError(
                f"{URL} names a server elsewhere, which has DAG files of its own",
                where=str(target.file),
                hint=f"give the name of a DAG of it, or unset {URL} to run the file here",
            )
        client = client_of(layout)
        try:
            yield Place(client, None, ours=False)
        finally:
            client.close()
        return
    if target.file is not None:
        refuse_unclaimed(target.file)
    server = config.read_server_file(layout)
    if server is not None:
        team, folder = source_of(Path(server.dags), target)
        client = connect(server, team)
        try:
            yield Place(client, folder, ours=False)
        finally:
            client.close()
        return
    if config.components(layout):
        raise no_server(layout)
    with started(layout, dags or folder_of(target), target, database_url) as place:
        yield place


def folder_of(target: Target) -> Path:
    """Return the DAG folder, or the folder of teams, that a target is in."""
    if target.file is None:
        return config.default_dags()
    return teams.root_above(target.file) or target.file.parent


def source_of(folder: Path, target: Target) -> tuple[str | None, Path]:
    """Return the team of a target, if the folder is one of teams, and its DAG folder. Raises UsageError."""
    if not teams.is_of_teams(folder):
        return None, folder
    if target.file is not None:
        return teams.team_of(folder, target.file)
    team = team_asked()
    if team is None:
        raise UsageError(f"{folder} is a folder of teams", hint="say whose DAG it is: --team NAME")
    return team, folder / team


@contextmanager
def started(
    layout: Layout, root: Path, target: Target, database_url: str | None
) -> Iterator[Place]:
    from headway.up.supervisor import Settings, Supervisor

    team, folder = source_of(root, target)
    settings = Settings(
        layout=layout, dags=root, only=team, port=0, on_demand=True, database_url=database_url
    )
    supervisor = Supervisor(settings, say)
    server = supervisor.start()
    stopping = threading.Event()
    client = connect(server, team)
    try:
        supervisor.wait_until_healthy()
        looking = threading.Thread(target=look_after, args=(supervisor, stopping), daemon=True)
        looking.start()
        yield Place(client, folder.resolve(), ours=True)
    finally:
        stopping.set()
        signal.signal(signal.SIGINT, lambda number, frame: supervisor.hurry.set())
        client.close()
        supervisor.stop()


def look_after(supervisor: "Supervisor", stopping: threading.Event) -> None:
    while not stopping.wait(TURN_S):
        supervisor.turn()


def loaded(place: Place, target: Target, layout: Layout) -> str:
    """Wait until the server has loaded the current DAG folder, and return the DAG id of the target."""
    if place.dags is None:
        assert target.dag_id is not None
        return target.dag_id
    if target.file is None:
        assert target.dag_id is not None
        if place.ours or not is_known(place.client, target.dag_id):
            wait_for_folder(place, place.dags, layout, target, None)
        return target.dag_id
    file = path_in(place.dags, target.file)
    if file is None:
        raise UsageError(
            f"the server of this data directory uses the DAG folder {place.dags}",
            where=str(target.file),
            hint="move the file there, or run it with a separate data directory: --data DIR",
        )
    wait_for_folder(place, place.dags, layout, target, file)
    return chosen(place.client, file, target.dag_id)


def is_known(client: Client, dag_id: str) -> bool:
    """Return whether the server has a DAG; its file may have been saved a moment ago."""
    try:
        client.dag(dag_id)
    except NotFound:
        return False
    return True


def path_in(dags: Path, file: Path) -> str | None:
    """Return the path as the loader names it. A link in the DAG folder is not followed."""
    folders = (dags.absolute(), dags.resolve())
    for place in (file, file.parent.resolve() / file.name, file.resolve()):
        for folder in folders:
            if place.is_relative_to(folder):
                return place.relative_to(folder).as_posix()
    return None


def wait_for_folder(
    place: Place, folder: Path, layout: Layout, target: Target, file: str | None
) -> None:
    """Wait until the loader has loaded the current content of this file, or of the file with this DAG."""
    from headway.loader.bundles import Bundles

    bundle = Bundles(layout.data).read(folder)
    version, slow = bundle.version, heavy_files(bundle.candidates(), folder)
    fresh = written_lately(bundle.candidates(), folder)
    began = clock.monotonic()
    place.client.look_at_folder()
    unchecked = True
    while (waited_s := clock.monotonic() - began) < LOADED_S:
        there = [dag for dag in place.client.dags() if dag.missing_since is None]
        errors = {error.file: error for error in place.client.import_errors()}
        meant = [
            dag
            for dag in there
            if dag.file == file or (file is None and dag.dag_id == target.dag_id)
        ]
        known = errors.keys() | {dag.file for dag in there}
        if not (file or meant) and (
            (waited_s < SLOW_S and not slow <= known)
            or (waited_s < SETTLED_S and unread(fresh, known, errors, folder))
        ):
            clock.sleep(LOOK_S)
            continue
        # Others keep their last good version.
        sound = [dag for dag in there if dag.file not in errors]
        waited_for = meant if file or meant else sound
        if waited_for and all(dag.bundle_version == version for dag in waited_for):
            return
        name = file or (meant[0].file if meant else None)
        if name is None and (
            (not sound and any(is_of_now(error, folder) for error in errors.values()))
            or (waited_s > IMPORTED_S and not there)
            or (waited_s > SETTLED_S and errors)
        ):
            return  # no such DAG among those that can be loaded: the server says so
        error = errors.get(name or "")
        if unchecked and name and (error or (not meant and waited_s > IMPORTED_S)):
            unchecked = False
            refuse_broken(folder / name)
        if error and waited_s > SETTLED_S:  # an earlier one may be of an earlier content
            raise UsageError(error.message, where=located(folder / error.file, error.line))
        clock.sleep(LOOK_S)
    raise NotReachable(
        f"the loader did not read {file or 'the DAG folder'} within {LOADED_S:.0f} s",
        hint=f"see {layout.server_logs / 'loader.log'}",
    )


def written_lately(files: Iterable[str], folder: Path) -> list[str]:
    """Return the files that the loader may still be importing."""
    since = clock.now().timestamp() - LATELY_S
    there = [path for path in files if (folder / path).is_file()]
    return [path for path in there if (folder / path).stat().st_mtime > since]


def unread(
    files: list[str],
    known: AbstractSet[str],
    errors: Mapping[str, wire.ImportError],
    folder: Path,
) -> bool:
    """Return whether one of the files has neither a DAG nor an error of its present content."""
    return any(
        path not in known or (path in errors and not is_of_now(errors[path], folder))
        for path in files
    )


def is_of_now(error: wire.ImportError, folder: Path) -> bool:
    """Return whether the present content of the file has an error, too.

    Its time tells nothing: an error may be stored a moment after the file was fixed.
    """
    from headway.loader.check import check

    file = folder / error.file
    return file.is_file() and any(found.error is not None for found in check(file))


def heavy_files(files: Iterable[str], dags: Path) -> set[str]:
    """Return the files that take long to load: what others import in milliseconds takes them seconds."""
    claims = ((path, frontends.claimant(path, (dags / path).read_bytes())) for path in files)
    return {path for path, front_end in claims if front_end is not None and front_end.heavy}


def refuse_unclaimed(file: Path) -> None:
    """Raise UsageError if the loader would never import the file, which its text tells at once."""
    try:
        content = file.read_bytes()
    except OSError:
        return  # who reads it for its DAGs says why that fails
    if frontends.claimant(file.name, content) is None:
        raise UsageError(
            "this is not a DAG file", where=str(file), hint=f"a DAG file is {frontends.described()}"
        )


def refuse_broken(file: Path) -> None:
    """Raise UsageError if the current content of the file does not load."""
    from headway.loader.check import check

    (found,) = check(file)
    if found.error is not None:
        where = f"{file}:{found.error.line or 1}"
        raise UsageError(found.error.message, where=where, hint=found.error.hint)
    if not found.dags:
        raise UsageError(WITHOUT_DAG, where=str(file), hint=DAG_HINT)


def chosen(client: Client, file: str, dag_id: str | None) -> str:
    found = [dag.dag_id for dag in client.dags() if dag.file == file]
    if dag_id is not None and dag_id in found:
        return dag_id
    if dag_id is not None:
        raise NotFound(
            f"{file} does not define a DAG named {dag_id!r}", hint=f"it defines: {', '.join(found)}"
        )
    if len(found) > 1:
        raise UsageError(
            f"{file} defines {len(found)} DAGs",
            hint=f"choose one, for instance {file}:{found[0]} (it defines {', '.join(found)})",
        )
    return found[0]
