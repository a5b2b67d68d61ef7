"""From a change of the folder to the rows: what is imported, what becomes a version, what stays."""

from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway.loader import loader as module
from headway.loader.loader import Loader
from headway.spec.arguments import without_arguments
from headway.spec.diff import changes
from headway.spec.model import encode, spec_hash
from headway.store import dags as store
from headway.store import limits
from tests.loader.conftest import Folder, LoaderMaker, dags, errors, rows

pytestmark = pytest.mark.usefixtures("imported")


def test_a_new_folder_is_known(loader: Loader, folder: Folder, conn: Connection[Any]) -> None:
    folder.dag("a.py", "one")
    folder.dag("deep/b.py", "two")
    folder.write("helper.py", "x = 1")
    loader.settle()
    assert dags(conn) == {"one": (1, "a.py", False), "two": (1, "deep/b.py", False)}
    assert errors(conn) == {}
    assert store.spec(conn, 1, "one").tasks[0].task_id == "work"
    assert loader.bundle is not None
    assert rows(conn, "SELECT version, files FROM bundle") == [(loader.bundle.version, 3)]


def test_only_what_changed_is_imported_and_all_move_to_the_new_bundle(
    loader: Loader, folder: Folder, conn: Connection[Any], imported: list[str]
) -> None:
    folder.dag("a.py", "one")
    folder.dag("b.py", "two")
    loader.settle()
    imported.clear()
    folder.dag("a.py", "one", tag="b")
    loader.settle()
    assert imported == ["a.py"]
    assert dags(conn) == {"one": (2, "a.py", False), "two": (1, "b.py", False)}
    assert len(rows(conn, "SELECT DISTINCT bundle_version FROM dag")) == 1
    loader.settle()
    assert imported == ["a.py"]


def test_an_old_specification_has_its_old_number(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    for tag in ("a", "b", "a"):
        folder.dag("a.py", "one", tag=tag)
        loader.settle()
    assert dags(conn)["one"][0] == 1
    assert rows(conn, "SELECT version FROM dag_version ORDER BY 1") == [(1,), (2,)]


def test_a_change_of_a_module_or_file_imports_who_read_it(
    loader: Loader, folder: Folder, conn: Connection[Any], imported: list[str]
) -> None:
    folder.write("shared/__init__.py", "")
    folder.write("shared/names.py", "TAG = 'x'")
    folder.write("tags.txt", "t")
    folder.dag("a.py", "one", before="from shared.names import TAG\n")
    read = "from pathlib import Path\nPath(__file__).with_name('tags.txt').read_text()\n"
    folder.dag("b.py", "two", before=read)
    folder.dag("c.py", "three")
    loader.settle()
    imported.clear()
    folder.write("shared/names.py", "TAG = 'yy'")
    loader.settle()
    assert imported == ["a.py"]
    folder.write("tags.txt", "tt")
    loader.settle()
    assert imported == ["a.py", "b.py"]


def test_a_broken_file_keeps_its_last_good_version_and_bundle(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one")
    folder.dag("b.py", "two")
    loader.settle()
    good = rows(conn, "SELECT bundle_version FROM dag WHERE dag_id = 'one'")
    file = folder.write("a.py", "import headway\n\n1 +")
    loader.settle()
    assert dags(conn)["one"] == (1, "a.py", False)
    assert rows(conn, "SELECT bundle_version FROM dag WHERE dag_id = 'one'") == good
    assert rows(conn, "SELECT bundle_version FROM dag WHERE dag_id = 'two'") != good
    line, message = errors(conn)["a.py"]
    assert (line, "SyntaxError" in message) == (3, True)
    folder.write("a.py", "import headway\n\n\n2 +")
    loader.settle()
    assert errors(conn)["a.py"][0] == 4
    assert rows(conn, "SELECT since < at FROM import_error") == [(True,)]
    folder.dag(file.name, "one")
    loader.settle()
    assert errors(conn) == {}
    assert dags(conn)["one"] == (1, "a.py", False)


def test_a_missing_module_that_comes_mends_the_file(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one", before="import late\n")
    loader.settle()
    assert "late" in errors(conn)["a.py"][1]
    folder.write("late.py", "")
    loader.settle()
    assert errors(conn) == {}
    assert "one" in dags(conn)


def test_deleted_renamed_and_back(loader: Loader, folder: Folder, conn: Connection[Any]) -> None:
    file = folder.dag("a.py", "one")
    loader.settle()
    file.rename(folder.root / "b.py")
    loader.settle()
    assert dags(conn) == {"one": (2, "b.py", False)}  # where it is belongs to what it is
    (folder.root / "b.py").unlink()
    loader.settle()
    assert dags(conn) == {"one": (2, "b.py", True)}
    assert rows(conn, "SELECT name FROM event WHERE subject = 'dag' ORDER BY seq DESC LIMIT 1") == [
        ("miss",)
    ]
    folder.dag("a.py", "one")
    loader.settle()
    assert dags(conn) == {"one": (1, "a.py", False)}


def test_of_two_files_with_one_id_the_first_path_wins(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("b.py", "one", tag="b")
    loader.settle()
    folder.dag("a.py", "one", tag="a")
    loader.settle()
    assert dags(conn)["one"][1] == "a.py"
    _, message = errors(conn)["b.py"]
    assert "a.py" in message
    assert "b.py" in message
    (folder.root / "a.py").unlink()
    loader.settle()
    assert dags(conn) == {"one": (1, "b.py", False)}
    assert errors(conn) == {}


def test_an_edit_leaves_the_bundle_of_a_run_alone(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one")
    loader.settle()
    assert loader.bundle is not None
    pinned = loader.bundles.path(loader.bundle.version) / "a.py"
    text = pinned.read_text()
    folder.dag("a.py", "one", tag="b")
    loader.settle()
    (folder.root / "a.py").unlink()
    loader.settle()
    assert pinned.read_text() == text


def test_the_timetable_is_asked_at_once_when_the_schedule_changed(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    text = (
        "from headway import dag, task\n@dag(schedule='{cron}', tags=['{tag}'])\ndef one():\n"
        "    @task\n    def work(): ...\n    work()\none()\n"
    )
    decided = "UPDATE dag SET next_fire_at = 'infinity', last_fire = '2020-01-01Z'"
    asked = "SELECT isfinite(next_fire_at), last_fire IS NOT NULL FROM dag"
    folder.write("a.py", text.format(cron="@daily", tag="a"))
    loader.settle()
    assert rows(conn, asked) == [(True, False)]
    conn.execute(decided)
    folder.write("a.py", text.format(cron="@daily", tag="b"))
    loader.settle()
    assert rows(conn, asked) == [(False, True)]
    folder.write("a.py", text.format(cron="@hourly", tag="b"))
    loader.settle()
    assert rows(conn, asked) == [(True, True)]
    assert store.first_seen(conn, 1, "one") is not None


def test_a_file_that_never_says_the_same_is_told_so_and_makes_no_versions(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]
) -> None:
    before = "import time\n"
    file = folder.dag("a.py", "one", before=before)
    file.write_text(file.read_text().replace('tags=["a"]', "tags=[str(time.time_ns())]"))
    make_loader().settle()
    for _ in range(3):
        make_loader().settle()
    assert rows(conn, "SELECT count(*) FROM dag_version") == [(1,)]
    assert "each time it is imported" in errors(conn)["a.py"][1]


def test_another_environment_is_a_new_version_not_an_error(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any], tmp_path: Path
) -> None:
    outside = tmp_path / "outside.txt"
    outside.write_text("x")
    file = folder.dag("a.py", "one")
    file.write_text(file.read_text().replace('tags=["a"]', f"tags=[open({str(outside)!r}).read()]"))
    make_loader().settle()
    outside.write_text("y")
    make_loader().settle()
    assert dags(conn)["one"][0] == 2
    assert errors(conn) == {}


COMMAND = """
import os, time, uuid
from datetime import datetime
from headway import bash, dag

@dag
def one():
    bash(task_id="b", command={command})
"""


@pytest.mark.parametrize(
    "command",
    ["f'echo {time.time_ns()}'", "str(datetime.now())", "uuid.uuid4().hex", "f'cat {__file__}'"],
)
def test_an_argument_that_is_never_the_same_makes_no_versions(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any], command: str
) -> None:
    """Neither at a restart nor when something else of the folder changed; an edit of the file may make one."""
    folder.write("a.py", COMMAND.format(command=command))
    for number in range(3):
        folder.write("other.txt", str(number))
        make_loader().settle()
    assert dags(conn)["one"] == (1, "a.py", False)
    assert rows(conn, "SELECT count(*) FROM dag_version") == [(1,)]
    assert errors(conn) == {}
    assert rows(conn, "SELECT count(DISTINCT bundle_version) FROM dag") == [(1,)]
    folder.write("a.py", COMMAND.format(command="'echo'"))
    make_loader().settle()
    assert dags(conn)["one"][0] == 2


def test_a_changed_command_is_a_version_and_a_difference(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    for command in ("'echo 1'", "'echo 2'", "'echo 1'"):
        folder.write("a.py", COMMAND.format(command=command))
        loader.settle()
    assert dags(conn)["one"][0] == 1
    first, last = (store.spec(conn, 1, "one", number) for number in (1, 2))
    assert [(each.path, each.before, each.after) for each in changes(first, last)] == [
        ("b.arguments.command", "echo 1", "echo 2")
    ]


def test_a_registered_spec_without_arguments_stays_until_its_file_changes(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]
) -> None:
    folder.write("a.py", COMMAND.format(command="'echo 1'"))
    make_loader().settle()
    old = without_arguments(store.spec(conn, 1, "one"))
    conn.execute(
        "UPDATE dag_version SET spec = %s, spec_hash = %s", [encode(old).decode(), spec_hash(old)]
    )
    conn.commit()
    make_loader().settle()
    assert rows(conn, "SELECT version FROM dag_version") == [(1,)]
    assert store.spec(conn, 1, "one") == old
    folder.write("a.py", COMMAND.format(command="'echo 1'") + "# edited\n")
    make_loader().settle()
    assert store.spec(conn, 1, "one").tasks[0].arguments == {"command": "echo 1"}


def test_two_loaders_agree(make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]) -> None:
    one, other = make_loader(), make_loader()
    for number in range(4):
        folder.dag(f"{number}.py", f"dag{number}", tag=str(number))
        one.settle()
        other.settle()
    assert {row[0] for row in dags(conn).values()} == {1}
    assert rows(conn, "SELECT count(*) FROM event WHERE subject = 'dag'") == [(4,)]


def test_a_restart_finds_all_as_it_was(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one")
    folder.write("broken.py", "import headway\n1 / 0")
    make_loader().settle()
    before = rows(conn, "SELECT * FROM dag"), rows(conn, "SELECT * FROM import_error")
    make_loader().settle()
    assert (rows(conn, "SELECT * FROM dag"), rows(conn, "SELECT * FROM import_error")) == before


def test_the_database_may_go_away(
    loader: Loader,
    folder: Folder,
    conn: Connection[Any],
    owner_conn: Connection[Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "RECONNECT_S", 0.0)
    folder.dag("a.py", "one")
    loader.settle()
    assert loader.conn is not None
    pid = loader.conn.info.backend_pid
    owner_conn.execute("SELECT pg_terminate_backend(%s)", [pid])
    folder.dag("b.py", "two")
    loader.settle()
    assert set(dags(conn)) == {"one", "two"}


def test_pause_and_resume(loader: Loader, folder: Folder, conn: Connection[Any]) -> None:
    folder.dag("a.py", "one")
    loader.settle()
    now = store.lock(conn, 1)
    assert store.pause(conn, 1, "one", "user:me", now)
    assert not store.pause(conn, 1, "one", "user:me", now)
    assert rows(conn, "SELECT paused_by FROM dag") == [("user:me",)]
    assert store.resume(conn, 1, "one", "user:me", now)
    assert not store.resume(conn, 1, "nothing", "user:me", now)


TEXTS = """
from headway import dag, task


@dag(dag_id="documented", description="columns end with \\0", tags=["{tag}"])
def define(text: str = "{default}"):
    \"\"\"Split at \\0; \\udce9 is half a character.\"\"\"

    @task(doc_md="at \\0")
    def work(): ...

    work()


define()
"""


def test_what_cannot_be_stored_is_shown_in_prose_and_refused_elsewhere(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("good.py", "good")
    folder.write("prose.py", TEXTS.format(tag="a", default="b"))
    loader.settle()
    assert errors(conn) == {}
    spec = store.spec(conn, 1, "documented")
    assert (spec.doc, spec.tasks[0].doc) == (
        "Split at \u2400; \\udce9 is half a character.",
        "at \u2400",
    )
    assert spec.description == "columns end with \u2400"
    folder.write("tag.py", TEXTS.format(tag="\\0", default="b").replace("documented", "tagged"))
    folder.write(
        "value.py", TEXTS.format(tag="a", default="\\udce9").replace("documented", "valued")
    )
    folder.write("large.py", TEXTS.format(tag="a", default="b").replace('= "b"', "= 'b' * 300_000"))
    folder.write(
        "digits.py", TEXTS.format(tag="a", default="b").replace('str = "b"', "int = 10**2000")
    )
    folder.dag("later.py", "later")
    loader.settle()
    assert set(dags(conn)) == {"documented", "good", "later"}
    assert {line for line, _ in errors(conn).values()} == {5}
    found = {path: text for path, (_, text) in errors(conn).items()}
    assert "tags[0] contains the character NUL" in found["tag.py"]
    assert "the default of the parameter text contains an incomplete character" in found["value.py"]
    assert "the limit is 262,144" in found["large.py"]
    assert "an integer of more than 1,000 digits" in found["digits.py"]


def test_a_dag_that_the_database_refuses_is_an_error_of_its_file(
    loader: Loader, folder: Folder, conn: Connection[Any], owner_conn: Connection[Any]
) -> None:
    """Whatever the reason: the others go live, the loader lives, and it is not tried again and again."""
    owner_conn.execute("ALTER TABLE dag_version ADD CHECK (dag_id NOT IN ('bad', 'worse'))")
    folder.dag("a.py", "bad")
    folder.dag("b.py", "good")
    folder.dag("c.py", "worse")
    loader.settle()
    assert set(dags(conn)) == {"good"}
    assert set(errors(conn)) == {"a.py", "c.py"}
    assert "the database rejects its DAGs: CheckViolation" in errors(conn)["a.py"][1]
    folder.dag("d.py", "another")
    loader.settle()
    assert set(dags(conn)) == {"another", "good"}
    folder.dag("a.py", "mended")
    loader.settle()
    assert set(dags(conn)) == {"another", "good", "mended"}
    assert set(errors(conn)) == {"c.py"}


def test_the_limit_of_the_team_for_a_file_counts_without_a_restart(
    loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "a", before="# " + "x" * 1000 + "\n")
    loader.settle()
    assert limits.largest_file(conn, loader.team_id) == (folder.root / "a.py").stat().st_size
    conn.execute("""UPDATE team SET limits = '{"dag_file_bytes": 1000}'""")
    loader.settle()
    assert "the limit of this team is 1,000 (dag_file_bytes)" in str(errors(conn))
    conn.execute("UPDATE team SET limits = '{}'")
    loader.settle()
    assert conn.execute("SELECT count(*) FROM import_error").fetchone() == (0,)


def test_a_folder_that_is_refused_is_an_import_error_and_all_stays(
    loader: Loader, folder: Folder, conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.dag("a.py", "one")
    loader.settle()
    monkeypatch.setattr("headway.loader.folder.FILES_MAX", 3)
    for number in range(4):
        folder.write(f"data/{number}.csv", "1")
    for _ in "twice":
        loader.settle()
        ((path, (line, said)),) = errors(conn).items()
        assert (path, line) == (".", None)
        assert "the DAG folder has 5 files of 0 MB together; the limit is 3 files" in said
        assert "list everything that is not code in .headwayignore" in said
    assert dags(conn) == {"one": (1, "a.py", False)}
    folder.write(".headwayignore", "data/")
    loader.settle()
    assert errors(conn) == {}
    assert dags(conn) == {"one": (1, "a.py", False)}


def test_a_refusal_is_said_when_nothing_was_ever_read(
    make_loader: LoaderMaker, folder: Folder, conn: Connection[Any]
) -> None:
    folder.dag("a.py", "one")
    make_loader().settle()
    folder.write(".headwayignore", "x\n" * 2_000)
    restarted = make_loader()
    restarted.settle()
    assert list(errors(conn)) == [".headwayignore"]
    assert dags(conn) == {"one": (1, "a.py", False)}
    folder.write(".headwayignore", "")
    restarted.settle()
    assert errors(conn) == {}
