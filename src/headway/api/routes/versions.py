"""/dags/…/versions: DAG versions, their source files, and differences."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

from litestar import get
from psycopg import Connection

from headway import wire
from headway.api.context import Api, Handed
from headway.api.parameters import INT32_MAX, Cursor, FileName, Id, Limit, Number, up_to
from headway.core.roles import Verb
from headway.errors import HeadwayError, NotFound, UsageError
from headway.loader import sourcefiles
from headway.loader.sourcefiles import SourceFile
from headway.spec import diff, model
from headway.store.views import code_changes
from headway.store.views import runs as run_views
from headway.store.views import versions as views
from headway.store.views.versions import Pinned


@get("/dags/{dag_id:str}/versions", needs=Verb.DAG_READ)
async def list_versions(
    api: Handed,
    dag_id: Id,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> wire.Page[wire.VersionSummary]:
    """List the versions of a DAG, newest first."""
    return await api.door.call(views.page, dag_id, limit, cursor)


@get("/dags/{dag_id:str}/versions/{version:str}", needs=Verb.DAG_READ)
async def show_version(api: Handed, dag_id: Id, version: Number) -> model.Dag:
    """Get a version with its spec."""
    return model.decode(await api.door.call(views.spec_text, dag_id, version))


@get("/dags/{dag_id:str}/versions/{version:str}/source", needs=Verb.SOURCE_READ)
async def show_source(
    api: Handed,
    dag_id: Id,
    version: Number,
    file: FileName = None,
) -> wire.Source:
    """Get the DAG file of a version, or another ``file`` of the same bundle."""
    pinned = await api.door.call(views.pinned, dag_id, version)
    return await source(api, pinned, file)


@get("/runs/{run_id:str}/source", needs=Verb.SOURCE_READ)
async def show_source_of_run(api: Handed, run_id: Id, file: FileName = None) -> wire.Source:
    """Get the DAG file that the run executes, or another ``file`` of its bundle."""
    run_id = await api.door.call(run_views.resolve, run_id)
    return await source(api, await api.door.call(views.of_run, run_id), file)


@get("/dags/{dag_id:str}/diff", needs=Verb.SOURCE_READ)
async def show_diff(
    api: Handed,
    dag_id: Id,
    first: Annotated[int, up_to(INT32_MAX, name="from")],
    last: Annotated[int, up_to(INT32_MAX, name="to")],
) -> wire.VersionDiff:
    """Compare the versions ``from`` and ``to``."""
    specs = [
        model.decode(await api.door.call(views.spec_text, dag_id, version))
        for version in (first, last)
    ]
    pins = [await api.door.call(views.pinned, dag_id, version) for version in (first, last)]
    text, reason = await asyncio.to_thread(compared, api.layout.data, *pins)
    return wire.VersionDiff(
        first=first,
        last=last,
        changes=spec_changes(*specs),
        source_diff=text,
        reason=reason,
    )


@get("/dags/{dag_id:str}/changes", needs=Verb.DAG_READ)
async def list_code_changes(
    api: Handed,
    dag_id: Id,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> wire.Page[wire.CodeChange]:
    """List the changes of the code of a DAG, newest first: of its specification, and of files that it imports."""
    return await api.door.call(code_changes.page, dag_id, limit, cursor)


@get("/dags/{dag_id:str}/changes/{number:str}", needs=Verb.SOURCE_READ)
async def show_code_change(
    api: Handed,
    dag_id: Id,
    number: Number,
    since: Annotated[int | None, up_to(INT32_MAX, name="from")] = None,
) -> wire.CodeDiff:
    """Compare the code after a change with that before it, or with that after an earlier change, ``from``."""
    if since is not None and since >= number:
        raise UsageError(
            f"change {since} is not before change {number}", hint="from names an earlier change"
        )

    def work(conn: Connection[Any]) -> tuple[wire.CodeChange | None, wire.CodeChange, list[str]]:
        before, after = code_changes.ends(conn, dag_id, number, since)
        if before is None:
            return before, after, []
        return before, after, list(code_changes.touched(conn, dag_id, before.number, number))

    before, after, touched = await api.door.call(work)
    if before is None:
        return wire.CodeDiff(since=None, change=after, changes=[], files=[], reason=None)
    specs = [
        model.decode(await api.door.call(views.spec_text, dag_id, each.version))
        for each in (before, after)
    ]
    files, reason = await asyncio.to_thread(differences, api.layout.data, before, after, touched)
    return wire.CodeDiff(
        since=before,
        change=after,
        changes=spec_changes(*specs),
        files=files,
        reason=reason,
    )


def differences(
    data: Path, before: wire.CodeChange, after: wire.CodeChange, touched: list[str]
) -> tuple[list[wire.FileDiff], str | None]:
    """Return how the files differ, or why that is not known."""
    if before.bundle_version is None or after.bundle_version is None:
        return [], "the files were removed"
    found = []
    for file in touched:
        try:
            sides = [
                sourcefiles.read_or_empty(data, version, file)
                for version in (before.bundle_version, after.bundle_version)
            ]
        except HeadwayError as error:
            return [], error.message
        if sides[0].text != sides[1].text or sides[0].truncated or sides[1].truncated:
            found.append(wire.FileDiff(file=file, diff=sourcefiles.difference(*sides)))
    return found, None


def spec_changes(before: model.Dag, after: model.Dag) -> list[wire.SpecChange]:
    return [
        wire.SpecChange(what=each.what, path=each.path, before=each.before, after=each.after)
        for each in diff.changes(before, after)
    ]


async def source(api: Api, pinned: Pinned, file: str | None) -> wire.Source:
    found = await asyncio.to_thread(read, api.layout.data, pinned, file)
    return wire.Source(
        file=found.file,
        text=found.text,
        bundle_version=pinned.bundle_version or "",
        others=found.others,
        truncated=found.truncated,
    )


def read(data: Path, pinned: Pinned, file: str | None) -> SourceFile:
    if pinned.bundle_version is None:
        raise NotFound(
            f"the files of version {pinned.version} were removed",
            hint="no run uses this version, and a newer version has replaced it",
        )
    return sourcefiles.read(data, pinned.bundle_version, file or pinned.file)


def compared(data: Path, before: Pinned, after: Pinned) -> tuple[str, str | None]:
    """Return the text of a file, or why it is not available."""
    try:
        text = sourcefiles.difference(read(data, before, None), read(data, after, None))
    except NotFound as error:
        return "", error.message
    return (text, None) if text is not None else ("", "the files are too long to compare")


ROUTES = [
    *(list_versions, show_version, show_source, show_source_of_run, show_diff),
    *(list_code_changes, show_code_change),
]
