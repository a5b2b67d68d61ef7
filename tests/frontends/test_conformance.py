"""Every front end, also the one that only tests have: what becomes of its files in all that looks at them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection

from headway import frontends
from headway.frontends import python
from headway.loader.bundles import Bundles
from headway.loader.check import Checked, check
from headway.loader.loader import Loader
from headway.spec.errors import BadSpec
from tests.cli.conftest import copy_data, fresh, start, stop
from tests.frontends import tiny
from tests.frontends.conftest import FRONT_ENDS, SAMPLES, Sample
from tests.loader.conftest import Folder, dags, errors


def checked(folder: Folder) -> dict[str, Checked]:
    return {each.file: each for each in check(folder.root)}


def test_every_front_end_of_the_registry_has_a_sample() -> None:
    by_suffix = {suffix for each in FRONT_ENDS for suffix in each.suffixes}
    by_suffix -= {".zip"}  # of Airflow: tests/airflow/test_zips.py
    assert {sample.suffix for sample in SAMPLES.values()} == by_suffix


def test_a_file_is_claimed_by_its_name_and_content(sample: Sample) -> None:
    content = sample.text("one").encode()
    found = frontends.claimant(f"a{sample.suffix}", content)
    assert found is not None
    assert sample.suffix in found.suffixes
    assert frontends.claimant("notes.md", content) is None
    assert frontends.claimant(f"empty{sample.suffix}", b"") is None
    assert frontends.claimant(f"other{sample.suffix}", b"x = 1") is None


def test_all_agree_on_what_is_a_dag_file(
    sample: Sample, loader: Loader, folder: Folder, tmp_path: Path, conn: Connection[Any]
) -> None:
    for place in ("a", "deep/b"):
        folder.write(f"{place}{sample.suffix}", sample.text(place[-1]))
    folder.write(f"nothing{sample.suffix}", sample.nothing)
    for name in (f"empty{sample.suffix}", f"unclaimed{sample.suffix}", "notes.md"):
        folder.write(name, "" if "empty" in name else "x = 1")
    files = sorted(f"{each}{sample.suffix}" for each in ("a", "deep/b", "nothing"))
    assert Bundles(tmp_path / "other").snapshot(folder.root).candidates() == files
    found = check(folder.root)
    assert [each.file for each in found] == files
    assert [dag.dag_id for each in found for dag in each.dags] == ["a", "b"]
    assert not any(each.error for each in found)
    loader.settle()
    registered = {dag_id: file for dag_id, (_, file, _) in dags(conn).items()}
    assert registered == {"a": files[0], "b": files[1]}
    assert errors(conn) == {}


def test_what_is_wrong_is_told_with_its_line_and_the_rest_is_loaded(
    sample: Sample, loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    broken, odd = f"broken{sample.suffix}", f"odd{sample.suffix}"
    folder.write(broken, sample.broken)
    (folder.root / odd).write_bytes(sample.not_utf_8)
    folder.write(f"good{sample.suffix}", sample.text("good"))
    loader.settle()
    assert set(dags(conn)) == {"good"}
    told = errors(conn)
    assert told.keys() == {broken, odd}
    assert told[broken][0] in (1, 2)
    assert re.search("utf-?8", told[odd][1])
    found = checked(folder)
    assert {file for file, each in found.items() if each.error} == {broken, odd}


def test_a_broken_file_keeps_its_last_good_dag(
    sample: Sample, loader: Loader, folder: Folder, conn: Connection[Any]
) -> None:
    name = f"a{sample.suffix}"
    folder.write(name, sample.text("one"))
    loader.settle()
    folder.write(name, sample.broken)
    loader.settle()
    assert dags(conn) == {"one": (1, name, False)}
    folder.write(name, sample.nothing)
    loader.settle()
    assert dags(conn) == {"one": (1, name, True)}


def test_links_and_odd_names_are_files_like_others(
    sample: Sample, loader: Loader, folder: Folder, tmp_path: Path, conn: Connection[Any]
) -> None:
    outside = tmp_path / f"outside{sample.suffix}"
    outside.write_text(sample.text("linked"))
    linked, lines = f"link{sample.suffix}", f"two\nlines{sample.suffix}"
    (folder.root / linked).symlink_to(outside)
    folder.write(lines, sample.text("odd"))
    loader.settle()
    assert dags(conn) == {"linked": (1, linked, False), "odd": (1, lines, False)}
    assert {file for file, each in checked(folder).items() if each.dags} == {linked, lines}
    for file, dag_id in ((linked, "linked"), (lines, "odd")):
        front_end = frontends.front_end_of(folder.root, file)
        if not front_end.heavy:  # its machinery is not for this process
            assert set(front_end.runnable(folder.root, file)) == {dag_id}


BOTH = """# tiny
dag.tiny.a.command = "echo {headway}"
"""


def test_of_two_that_claim_a_file_the_first_has_it_everywhere(
    loader: Loader, folder: Folder, conn: Connection[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is read by one of them only, so in Python's eyes it is wrong; without its word it is the other's."""
    folder.write("both.py", BOTH)
    folder.write("own.py", BOTH.replace("headway", "x"))
    assert frontends.front_end_of(folder.root, "both.py") is python.FRONT_END
    assert frontends.front_end_of(folder.root, "own.py") is tiny.FRONT_END
    loader.settle()
    assert set(dags(conn)) == {"tiny"}
    assert "NameError" in errors(conn)["both.py"][1]
    found = checked(folder)
    assert found["both.py"].error is not None
    assert [dag.dag_id for dag in found["own.py"].dags] == ["tiny"]


def test_a_file_that_somebody_names_is_read_by_its_suffix_or_refused(folder: Folder) -> None:
    folder.write("plain.py", "x = 1")
    folder.write("notes.md", "from headway import dag")
    (plain,) = check(folder.root / "plain.py")
    assert (plain.dags, plain.error) == ((), None)
    (notes,) = check(folder.root / "notes.md")
    assert notes.error is not None
    assert notes.error.message == "this is not a DAG file"
    assert "# tiny" in str(notes.error.hint)
    with pytest.raises(BadSpec, match="cannot be read"):
        frontends.front_end_of(folder.root, "gone.py")


def test_a_warning_is_told(folder: Folder) -> None:
    folder.write("a.tiny", TINY_ODD)
    assert [told.message for told in checked(folder)["a.tiny"].warnings] == ["x means nothing here"]


TINY_ODD = "# tiny\nx = 1\n"


def test_a_task_that_cannot_be_run_from_data_is_refused(folder: Folder) -> None:
    cases = {
        'kind = "nosuch"': 'there is no operator "nosuch"',
        "env.A = '1'": "bash needs command",
        "command = 'x'\ncommnd = 'y'": 'bash has no argument "commnd"',
        "command = {__headway__ = 'result'}": "a: an argument is the result of 'None'",
        "command = {__headway__ = 'bytes', value = 1}": "a: its arguments cannot be read: TypeError",
        "command = {__headway__ = 'new'}": "a: its arguments cannot be read",
    }
    for text, told in cases.items():
        folder.write("a.tiny", f"# tiny\n[dag.one.a]\n{text}\n")
        with pytest.raises(BadSpec, match=told):
            tiny.FRONT_END.runnable(folder.root, "a.tiny")


@pytest.mark.long
def test_every_kind_of_file_runs(tmp_path: Path, data: Path) -> None:
    """From the command to the end of the run: loader, scheduler, agent."""
    copy_data(data, tmp_path)
    for name, sample in SAMPLES.items():
        place = tmp_path / "dags" / f"{name}{sample.suffix}"
        place.parent.mkdir(exist_ok=True)
        place.write_text(sample.text(f"of_{name}"))
    process = start(tmp_path)
    try:
        for name, sample in SAMPLES.items():
            done = fresh("run", f"dags/{name}{sample.suffix}", "--output", "json", cwd=tmp_path)
            assert done.returncode == 0, done.stderr
            result = json.loads(done.stdout.splitlines()[-1])
            assert (result["dag_id"], result["state"]) == (f"of_{name}", "success")
            log = fresh("logs", result["run_id"], "b", cwd=tmp_path)
            assert "got one" in log.stdout
    finally:
        stop(process)
