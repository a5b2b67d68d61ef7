"""What is recorded of the code of DAGs: each change of what their files import, and no other."""

import os
from pathlib import Path
from typing import Any

from psycopg import Connection

from headway.loader.bundles import Bundles
from headway.loader.loader import Loader
from headway.store import bundles
from headway.store.transact import transact
from tests.loader.conftest import Folder, LoaderMaker, rows

USES_RATES = "from lib import rates\n"


def recorded(conn: Connection[Any], dag_id: str) -> list[tuple[Any, ...]]:
    """Number, version and files of each change."""
    found = rows(
        conn,
        f"SELECT number, version, files FROM code_change WHERE dag_id = '{dag_id}' ORDER BY number",
    )
    return [
        (number, version, [(each["change"], each["file"]) for each in files])
        for number, version, files in found
    ]


def test_a_change_of_what_a_dag_imports_is_recorded_with_its_files(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.write("lib/rates.py", "VAT = 19")
    folder.dag("a.py", "a", before=USES_RATES)
    folder.dag("b.py", "b")
    loader.settle()
    folder.write("lib/rates.py", "VAT = 7")
    loader.settle()
    folder.write("notes.txt", "nobody imports this")
    loader.settle()
    folder.dag("a.py", "a", tag="b")
    loader.settle()
    assert recorded(conn, "a") == [
        (1, 1, []),
        (2, 1, [("changed", "lib/rates.py")]),
        (3, 2, [("changed", "a.py")]),
    ]
    assert recorded(conn, "b") == [(1, 1, [])]
    ((files,),) = rows(conn, "SELECT files FROM dag WHERE dag_id = 'a'")
    assert files == ["a.py"]


def test_a_return_to_an_old_version_is_a_change(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    for tag in ("a", "b", "a"):
        folder.dag("a.py", "a", tag=tag)
        loader.settle()
    assert [change[:2] for change in recorded(conn, "a")] == [(1, 1), (2, 2), (3, 1)]


def test_a_restart_records_what_changed_meanwhile(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]
) -> None:
    folder.write("lib/rates.py", "VAT = 19")
    folder.dag("a.py", "a", before=USES_RATES)
    make_loader().settle()
    make_loader().settle()
    assert recorded(conn, "a") == [(1, 1, [])]
    folder.write("lib/rates.py", "VAT = 7")
    make_loader().settle()
    assert recorded(conn, "a")[1:] == [(2, 1, [("changed", "lib/rates.py")])]


def test_a_bundle_in_which_code_changed_keeps_its_files_but_not_its_copy(
    loader: Loader, folder: Folder, conn: Connection[Any], tmp_path: Path
) -> None:
    folder.dag("a.py", "a", tag="a")
    loader.settle()
    ((first,),) = rows(conn, "SELECT bundle_version FROM dag")
    folder.dag("a.py", "a", tag="b")
    loader.settle()
    in_use, compared = transact(conn, bundles.in_use), transact(conn, bundles.compared)
    assert first not in in_use
    assert first in compared
    found = Bundles(tmp_path / "data")
    for place in (found.path(first), found.path(first).with_name(first + ".files")):
        os.utime(place, (0, 0))
    assert found.prune(in_use, in_use, compared) == []
    assert (found.path(first).exists(), "a.py" in found.entries(first)) == (False, True)
    assert found.prune(in_use, in_use) == [first]
