"""``headway check PATH``: import files as the loader does, without a database.

Files are imported from a copy of the DAG folder, like a bundle: what the server would not have is missing here, too.
"""

import os
import selectors
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from headway import frontends
from headway.core import schedules
from headway.core.aliases import alias_of
from headway.errors import NotFound
from headway.frontends.base import Trouble
from headway.loader import own_names, teams
from headway.loader.environment import clean_environment
from headway.loader.folder import Listing, scan
from headway.loader.importer import Imported, Importer, Job
from headway.spec.errors import did_you_mean
from headway.spec.model import Dag

NAMING: Final = {"trigger_dag": "starts a run of", "wait_for_run": "waits for a run of"}
NOT_PART: Final = "is not part of the DAG folder: its name is hidden, or .headwayignore lists it"


@dataclass(frozen=True, slots=True)
class Checked:
    file: str  # relative to the folder
    dags: tuple[Dag, ...]
    error: Trouble | None
    warnings: tuple[Trouble, ...] = ()


def check(path: Path, environment: Mapping[str, str] = os.environ) -> list[Checked]:
    """Return each DAG file at or below ``path``, and what was skipped, in order.

    The root of a single file is its own folder, or that of its team in a folder of teams.
    """
    if not os.path.lexists(path):
        raise NotFound("the file or folder does not exist", where=str(path))
    if path.is_dir() and teams.is_of_teams(path):
        return check_teams(path, environment)
    root = teams.root_above(path)
    if root is not None and not path.is_dir():
        team, folder = teams.team_of(root, path)
        inside = path.absolute().relative_to(folder.absolute()).as_posix()
        found = own_names_refused(team, check_folder(folder.resolve(), inside, environment))
        return [replace(each, file=path.name) for each in found]
    if path.is_dir():
        found = check_folder(path.resolve(), None, environment)
        owner = None if root is None else teams.team_with(root, path)
        return found if owner is None else own_names_refused(owner, found)
    return check_folder(path.parent.resolve(), path.name, environment)


def check_teams(root: Path, environment: Mapping[str, str]) -> list[Checked]:
    """Check a folder of teams, each team by itself: DAG ids are unique within a team."""
    found = teams.team_folders(root)
    told = [Checked(name, (), Trouble(problem)) for name, problem in sorted(found.problems.items())]
    for team, folder in found.folders.items():
        for each in own_names_refused(team, check_folder(folder.resolve(), None, environment)):
            told.append(replace(each, file=f"{team}/{each.file}"))
    return told


def own_names_refused(team: str, found: Iterable[Checked]) -> list[Checked]:
    """Mark the files that name things of ``team``, whose they are, as those of another one."""
    marked = []
    for each in found:
        refused = None if each.error else own_names.refusal(each.dags, team)
        marked.append(replace(each, dags=(), error=refused) if refused else each)
    return marked


def check_folder(root: Path, only: str | None, environment: Mapping[str, str]) -> list[Checked]:
    listing = scan(root)
    with TemporaryDirectory(prefix="headway-check-") as place:
        copy = Path(place).resolve()
        copied = copy_files(root, listing, copy)
        files = candidates(copied) if only is None else [only] if only in copied else []
        told = duplicates_marked(import_all(copy, files, environment))
    if only is None:
        told = unknown_dags_marked(unused_aliases_marked(told))
    for file, problem in listing.problems.items():
        told[file] = Checked(file, (), Trouble(problem))
    if only is not None:
        return [told.get(only) or Checked(only, (), Trouble(NOT_PART))]
    return [told[file] for file in sorted(told)]


def unknown_dags_marked(found: dict[str, Checked]) -> dict[str, Checked]:
    """Add a warning for each DAG that a task waits for or starts, and that no file of the folder defines.

    A name that is a template, or of another team, is only known in a run. So are those of files with an error.
    """
    if any(each.error is not None for each in found.values()):
        return found
    known = {dag.dag_id for each in found.values() for dag in each.dags}
    return {
        file: replace(each, warnings=(*each.warnings, *unknown_dags(each, known)))
        for file, each in found.items()
    }


def unknown_dags(one: Checked, known: Collection[str]) -> Iterator[Trouble]:
    for dag in one.dags:
        for task in dag.tasks:
            name = (task.arguments or {}).get("dag_id") if task.kind in NAMING else None
            if isinstance(name, str) and name not in known and not set("{@") & set(name):
                said = (
                    f"{task.task_id} of {dag.dag_id} {NAMING[task.kind]} the DAG {name!r}, "
                    f"which no file of this folder defines"
                )
                yield Trouble(said, task.line, did_you_mean(name, known))


def copy_files(root: Path, listing: Listing, copy: Path) -> dict[str, Path]:
    """Copy the files, without those that were removed since the listing. Returns their paths."""
    copied = {}
    for found in listing.files:
        target = copy / found.path
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            shutil.copyfile(root / found.path, target)
        except OSError as error:
            listing.problems[found.path] = f"cannot be read: {error.strerror}"
            continue
        target.chmod(0o555 if found.executable else 0o444)
        copied[found.path] = target
    return copied


def defines_any(root: Path) -> bool:
    """Return whether a file of the folder may define a DAG, by its text. Imports nothing."""
    files = {found.path: root / found.path for found in scan(root).files}
    return bool(candidates(files))


def count_airflow_files(root: Path) -> int:
    """Return how many files of the folder are DAG files of Airflow, by their text. Imports nothing."""
    files = {found.path: root / found.path for found in scan(root).files}
    read = {path: files[path].read_bytes() for path in candidates(files)}
    return sum(frontends.claimant(*each) is frontends.airflow.FRONT_END for each in read.items())


def candidates(copied: Mapping[str, Path]) -> list[str]:
    claims = {
        path: found
        for path, file in copied.items()
        if (found := frontends.claimant(path, file.read_bytes()))
    }

    def read(path: str) -> str | None:
        return copied[path].read_text(errors="replace") if path in copied else None

    defining = frontends.defining(claims, read)
    return [path for path in copied if path in defining]


def import_all(
    root: Path, files: Iterable[str], environment: Mapping[str, str]
) -> dict[str, Checked]:
    found: dict[str, Checked] = {}

    def done(imported: Imported) -> None:
        file = imported.job.file
        found[file] = Checked(file, imported.dags, imported.trouble, imported.warnings)

    with selectors.DefaultSelector() as selector:
        importer = Importer(selector, done, environment=clean_environment(environment))
        try:
            importer.submit(Job(file, root, file) for file in files)
            while not importer.idle:
                for key, _ in selector.select(importer.tend()):
                    key.data()
        finally:
            importer.close()
    return found


def duplicates_marked(found: dict[str, Checked]) -> dict[str, Checked]:
    marked = dict(found)
    first: dict[str, str] = {}
    for file in sorted(found):
        for dag in found[file].dags:
            owner = first.setdefault(dag.dag_id, file)
            if owner != file:
                said = f"DAG {dag.dag_id} is defined in {owner} and in {file}; the one in {owner} is used"
                marked[file] = replace(found[file], error=Trouble(said, dag.line or None))
    return marked


def unused_aliases_marked(found: dict[str, Checked]) -> dict[str, Checked]:
    """Add a warning to files with a DAG that waits for an alias to which no task of the folder adds an asset."""
    every = [dag for each in found.values() if not each.error for dag in each.dags]
    filled = {outlet for dag in every for task in dag.tasks for outlet in task.outlets}
    marked = dict(found)
    for file, each in found.items():
        for dag in () if each.error else each.dags:
            read = schedules.of_data(dag.schedule, dag.start_date).assets
            for name in sorted({asset.name for asset in dag.assets} - filled):
                if (alias := alias_of(name)) is None:
                    continue
                does = "waits for" if name in read else "reads"
                said = f"DAG {dag.dag_id} {does} the alias {alias}, to which no task of this folder adds an asset"
                hint = "give it to the outlets of the task that adds one"
                warned = Trouble(said, dag.line or None, hint, dag.dag_id)
                marked[file] = replace(marked[file], warnings=(*marked[file].warnings, warned))
    return marked
