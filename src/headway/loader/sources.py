"""The loader's decisions: what the files of a DAG folder define, and what to register. No I/O.

Rule 1: a file that is broken, or not imported yet in this bundle, leaves its DAGs as they are, in their last good one.
Rule 2: of two files with one DAG id the first path wins, whatever was imported first.
Rule 3: a file is imported again if its content, or a file of the bundle that it has read, changed; and when the dates
of a timetable of its own are known up to some time only, and that comes near.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import zip_longest
from pathlib import Path
from typing import Final

from headway.core import schedules
from headway.errors import HeadwayError
from headway.frontends.base import Trouble
from headway.loader.bundles import Bundle
from headway.loader.importer import Imported
from headway.spec.arguments import same_but_arguments
from headway.spec.carried import shown
from headway.spec.model import Dag, encode, spec_hash
from headway.store.dags import Known
from headway.store.import_errors import Broken


class Condition(StrEnum):
    PENDING = "pending"
    LOADED = "loaded"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Spec:
    dag: Dag
    text: str
    hash: str


@dataclass(slots=True)
class Source:
    """A candidate file. ``specs`` are its last good ones, or None if this loader never imported it."""

    path: str
    blob: str
    bundle: Bundle  # the one it was or is to be imported from
    condition: Condition = Condition.PENDING
    specs: tuple[Spec, ...] | None = None
    trouble: Trouble | None = None
    warnings: list[str] = field(default_factory=list)  # of its last good import
    files: dict[str, str | None] = field(default_factory=dict)  # read by it: content hashes
    folders: dict[str, frozenset[str]] = field(default_factory=dict)  # listed by it
    seconds: float = 0.0  # of its last import
    renew_at: datetime | None = None  # when it is imported again though it did not change
    renewed_at: datetime | None = None  # when that was last done


NO_BUNDLE: Final = Bundle("", {}, {}, frozenset())
WHOLE: Final = "."  # the path of the folder
RENEW_AGAIN: Final = timedelta(minutes=10)  # between two renewals, whatever the file says


@dataclass(frozen=True, slots=True)
class Plan:
    versions: list[Spec]
    repinned: list[str]
    missed: list[str]
    warned: list[tuple[str, list[str]]]  # DAGs whose file is warned of otherwise than before
    broken: list[Broken]  # set or changed
    mended: list[str]  # files whose error is over

    def __bool__(self) -> bool:
        changes = (self.versions, self.repinned, self.missed, self.warned, self.broken, self.mended)
        return any(changes)


class Catalogue:
    """The DAG files by their paths. ``refused``: why the whole folder is not read, by the path that is to blame."""

    def __init__(self) -> None:
        self.sources: dict[str, Source] = {}
        self.refused: dict[str, Trouble] = {}

    def all(self) -> dict[str, Source]:
        """Return the sources, with what keeps the folder from being read as broken ones."""
        kept = {
            path: Source(path, "", NO_BUNDLE, Condition.BROKEN, trouble=trouble)
            for path, trouble in self.refused.items()
        }
        return {**self.sources, **kept}

    def refuse(self, path: str, trouble: Trouble) -> bool:
        """Record why the folder is not read. Returns whether that is new."""
        before, self.refused = self.refused, {path: trouble}
        return before != self.refused

    def admit(self) -> bool:
        """Record that the folder is read again. Returns whether that is new."""
        before, self.refused = self.refused, {}
        return bool(before)

    def update(self, bundle: Bundle, *, retry_broken: bool) -> list[Source]:
        """Switch to another snapshot. Returns the files to import, quick ones first."""
        before, self.sources = self.sources, {}
        stale = []
        for path in bundle.candidates():
            blob = bundle.entries[path].blob
            source = before.get(path)
            if source is None:
                source = Source(path, blob, bundle)
                stale.append(source)
            elif is_stale(source, bundle) or (retry_broken and source.trouble is not None):
                source.blob, source.bundle, source.condition = blob, bundle, Condition.PENDING
                stale.append(source)
            else:
                source.bundle = bundle
            self.sources[path] = source
        for path, problem in bundle.problems.items():
            source = before.get(path) or Source(path, "", bundle)
            source.blob, source.condition, source.trouble = "", Condition.BROKEN, Trouble(problem)
            self.sources[path] = source
        return sorted(stale, key=lambda source: (source.seconds, source.path))

    def due(self, now: datetime) -> list[Source]:
        """Return the files to import again for later dates of their timetables."""
        found = [
            source
            for source in self.sources.values()
            if source.renew_at is not None
            and source.renew_at <= now
            and (source.renewed_at is None or source.renewed_at + RENEW_AGAIN <= now)
            and source.condition is not Condition.PENDING
        ]
        for source in found:
            source.condition, source.renewed_at = Condition.PENDING, now
        return found

    def accept(self, imported: Imported, bundle: Bundle) -> None:
        """Record the result of an import from ``bundle``."""
        source = self.sources[imported.job.file]
        source.seconds = imported.seconds
        source.files = {path: blob_of(bundle, path) for path in imported.files}
        source.folders = {path: listing(bundle, path) for path in imported.folders}
        source.trouble = imported.trouble or doubled(imported.dags)
        source.condition = Condition.BROKEN if source.trouble else Condition.LOADED
        if source.trouble is None:
            source.specs = tuple(map(to_spec, imported.dags))
            source.warnings = list(map(warning, imported.warnings))
            source.renew_at = renewal(imported.dags)

    def reject(self, path: str, trouble: Trouble) -> None:
        self.sources[path].condition = Condition.BROKEN
        self.sources[path].trouble = trouble


def plan(
    sources: Mapping[str, Source],
    version: str,
    known: Iterable[Known],
    broken: Iterable[Broken],
) -> Plan:
    rows = {row.dag_id: row for row in known}
    versions, repinned, warned = [], [], []
    problems = {
        path: Broken(path, source.trouble.line, shown(sentence(source.trouble)))
        for path, source in sources.items()
        if source.trouble is not None and source.condition is not Condition.PENDING
    }
    claims = claimed(sources, rows)
    for dag_id, owners in sorted(claims.items()):
        winner, row = owners[0], rows.get(dag_id)
        for loser in owners[1:]:
            if loser.condition is Condition.LOADED and loser.path not in problems:
                problems[loser.path] = contested(dag_id, winner, loser)
        if winner.condition is not Condition.LOADED:
            continue
        if winner.warnings != (row.warnings if row else []):
            warned.append((dag_id, winner.warnings))
        spec = next(spec for spec in winner.specs or () if spec.dag.dag_id == dag_id)
        if row is None or row.missing or (row.spec_hash, row.file) != (spec.hash, winner.path):
            versions.append(spec)
        elif row.bundle_version != version:
            repinned.append(dag_id)
    there = {row.file: row for row in broken}
    return Plan(
        versions=versions,
        repinned=repinned,
        missed=[
            row.dag_id for row in rows.values() if not row.missing and row.dag_id not in claims
        ],
        warned=warned,
        broken=[problem for path, problem in problems.items() if there.get(path) != problem],
        mended=[path for path in there if path not in problems and not pending(sources, path)],
    )


def claimed(sources: Mapping[str, Source], rows: Mapping[str, Known]) -> dict[str, list[Source]]:
    """Return the files that define a DAG, in order of precedence. An unread file counts with what it defined."""
    had: dict[str, list[str]] = {}
    for row in rows.values():
        had.setdefault(row.file, []).append(row.dag_id)
    claims: dict[str, list[Source]] = {}
    for path, source in sorted(sources.items()):
        own = [spec.dag.dag_id for spec in source.specs or ()]
        for dag_id in had.get(path, []) if source.specs is None else own:
            claims.setdefault(dag_id, []).append(source)
    return claims


def renewal(dags: Iterable[Dag]) -> datetime | None:
    """Return the first time from which on a schedule needs later dates."""
    each = (schedules.of_data(dag.schedule, dag.start_date or schedules.FIRST) for dag in dags)
    return min((one.renew_at for one in each if one.renew_at is not None), default=None)


def refusal(error: HeadwayError, folder: Path) -> tuple[str, Trouble]:
    """Return the path below the folder that an error blames, and what to say; nobody needs to know where it lies."""
    above = f"{folder}/"
    where = (error.where or "").removeprefix(above)
    path = WHOLE if not where or where.startswith("/") else where
    hint = error.hint and error.hint.replace(above, "")
    return path, Trouble(error.message.replace(above, ""), hint=hint)


def contested(dag_id: str, winner: Source, loser: Source) -> Broken:
    line = next((s.dag.line for s in loser.specs or () if s.dag.dag_id == dag_id), 0)
    return Broken(
        loser.path,
        line or None,
        f"DAG {dag_id} is defined in {winner.path} and in {loser.path}; the one in {winner.path} "
        f"is used; give one of them another dag_id",
    )


def doubled(dags: tuple[Dag, ...]) -> Trouble | None:
    seen: dict[str, Dag] = {}
    for dag in dags:
        if dag.dag_id in seen:
            first = seen[dag.dag_id].line
            return Trouble(
                f"defines DAG {dag.dag_id} twice, on line {first} and here", dag.line or None
            )
        seen[dag.dag_id] = dag
    return None


def sentence(trouble: Trouble) -> str:
    return f"{trouble.message}; {trouble.hint}" if trouble.hint else trouble.message


def warning(warned: Trouble) -> str:
    return f"line {warned.line}: {sentence(warned)}" if warned.line else sentence(warned)


def differing(first: tuple[Dag, ...], second: tuple[Dag, ...]) -> list[str]:
    """The DAGs that two imports make in two ways, whatever their tasks' arguments are."""
    pairs = zip_longest(first, second)
    return sorted(
        (one or other).dag_id
        for one, other in pairs
        if one is None or other is None or not same_but_arguments(one, other)
    )


def unstable(first: Imported, second: Imported) -> Trouble:
    ids = differing(first.dags, second.dags)
    line = next((dag.line for dag in second.dags if dag.dag_id in ids), 0)
    return Trouble(
        f"defines a different DAG {', '.join(ids)} each time it is imported; the first version is kept",
        line or None,
        "look for datetime.now(), random values or the order of a set in the definition of the DAG",
    )


def pending(sources: Mapping[str, Source], path: str) -> bool:
    return path in sources and sources[path].condition is Condition.PENDING


def is_stale(source: Source, bundle: Bundle) -> bool:
    if bundle.entries[source.path].blob != source.blob:
        return True
    if source.condition is Condition.PENDING:
        return False  # on its way already
    if source.trouble is not None and bundle.entries.keys() != source.bundle.entries.keys():
        return True  # what it missed may have come
    return differs(source, bundle)


def differs(source: Source, bundle: Bundle) -> bool:
    """Return whether something that the file has read differs in ``bundle``."""
    return any(blob_of(bundle, path) != blob for path, blob in source.files.items()) or any(
        listing(bundle, path) != names for path, names in source.folders.items()
    )


def blob_of(bundle: Bundle, path: str) -> str | None:
    entry = bundle.entries.get(path)
    return None if entry is None else entry.blob


def listing(bundle: Bundle, folder: str) -> frozenset[str]:
    prefix = folder and folder + "/"
    return frozenset(path for path in bundle.entries if path.startswith(prefix))


def to_spec(dag: Dag) -> Spec:
    return Spec(dag, encode(dag).decode(), spec_hash(dag))


def timing(dag: Dag) -> tuple[object, ...]:
    """Return the fields on which the timetable depends."""
    return (dag.schedule, dag.start_date, dag.end_date, dag.catchup)
