"""The changes of the code of DAGs between two registrations: what their files imported, compared. No I/O.

Code is what the file of a DAG read from the DAG folder while it was imported, itself included. What a task imports or
reads later is not known.
"""

from collections.abc import Callable, Collection, Mapping, Sequence

from headway.bundle import Entry
from headway.loader.bundles import Bundle
from headway.loader.sources import Plan, Source
from headway.store.code_changes import CodeChange, FileChange
from headway.store.dags import Known

Entries = Callable[[str], Mapping[str, Entry]]


def found(
    todo: Plan,
    bundle: Bundle,
    known: Sequence[Known],
    sources: Mapping[str, Source],
    entries_of: Entries,
) -> list[CodeChange]:
    """Return the code of each DAG that is registered or pinned anew, with what changed in it."""
    rows = {row.dag_id: row for row in known}
    files = {spec.dag.dag_id: spec.dag.file for spec in todo.versions}
    files |= {dag_id: rows[dag_id].file for dag_id in todo.repinned}
    read: dict[str, Mapping[str, Entry]] = {bundle.version: bundle.entries}
    changes = []
    for dag_id, file in files.items():
        imported = imported_by(sources[file])
        row = rows.get(dag_id)
        changed: list[FileChange] = []
        if row is not None:
            if row.bundle_version not in read:
                read[row.bundle_version] = entries_of(row.bundle_version)
            names = imported.union(row.files or ())
            changed = differing(read[row.bundle_version], bundle.entries, names)
        is_new = row is None or bool(changed) or dag_id not in todo.repinned
        changes.append(CodeChange(dag_id, sorted(imported), changed, is_new))
    return changes


def imported_by(source: Source) -> set[str]:
    return {source.path, *(path for path, blob in source.files.items() if blob is not None)}


def differing(
    before: Mapping[str, Entry], after: Mapping[str, Entry], names: Collection[str]
) -> list[FileChange]:
    """Compare these files of two bundles; of a bundle that was removed nothing is known."""
    if not before:
        return []
    return [
        FileChange(path, change_of(before.get(path), after.get(path)))
        for path in sorted(names)
        if before.get(path) != after.get(path)
    ]


def change_of(before: Entry | None, after: Entry | None) -> str:
    return "added" if before is None else "removed" if after is None else "changed"
