"""``headway check PATH``: import files as the loader does, with no database and no snapshot."""

import os
import selectors
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from headway.errors import NotFound
from headway.services.bundles import MARKER
from headway.services.folder import scan
from headway.services.import_child import Trouble
from headway.services.importer import Imported, Importer, Job, clean_environment
from headway.spec.model import Dag


@dataclass(frozen=True, slots=True)
class Checked:
    file: str  # relative to the folder
    dags: tuple[Dag, ...]
    error: Trouble | None


def check(path: Path, environment: Mapping[str, str] = os.environ) -> list[Checked]:
    """Each DAG file at or below ``path``, in order. A single file has its own folder as root."""
    if not path.exists():
        raise NotFound("there is no such file or folder", where=str(path))
    path = path.resolve()
    root, files = (path, candidates(path)) if path.is_dir() else (path.parent, [path.name])
    found = duplicates_marked(import_all(root, files, environment))
    return [found[file] for file in files]


def candidates(root: Path) -> list[str]:
    names = (found.path for found in scan(root).files if found.path.endswith(".py"))
    return [name for name in names if MARKER in (root / name).read_bytes()]


def import_all(root: Path, files: list[str], environment: Mapping[str, str]) -> dict[str, Checked]:
    found: dict[str, Checked] = {}

    def done(imported: Imported) -> None:
        file = imported.job.file
        found[file] = Checked(file, imported.dags, imported.trouble)

    with selectors.DefaultSelector() as selector:
        importer = Importer(selector, done, environment=clean_environment(environment, ()))
        try:
            importer.submit(Job(file, root, file) for file in files)
            while not importer.idle:
                for key, _ in selector.select(importer.tend()):
                    key.data()
        finally:
            importer.close()
    return found


def duplicates_marked(found: dict[str, Checked]) -> dict[str, Checked]:
    first: dict[str, str] = {}
    for file in sorted(found):
        for dag in found[file].dags:
            owner = first.setdefault(dag.dag_id, file)
            if owner != file:
                said = f"DAG {dag.dag_id} is defined in {owner} and in {file}: {owner} wins"
                found[file] = Checked(file, found[file].dags, Trouble(said, dag.line or None))
    return found
