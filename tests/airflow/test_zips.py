"""Archives with DAG files and packages inside, as Airflow takes them: read, run, bounded; mistakes have their place."""

import json
import struct
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Final

import pytest

from headway.frontends.airflow import FRONT_END, zips
from headway.spec.errors import BadSpec
from tests.cli.conftest import headway

pytestmark = pytest.mark.long

DAG: Final = """from airflow.sdk import dag, task

from pack.words import WORD


@dag(schedule="@daily", catchup=False)
def letters():
    @task
    def count(word=WORD):
        return len(word)

    @task
    def breaks():
        raise ValueError("on purpose")

    count()
    breaks()


letters()
"""
INSIDE: Final = {"one.py": DAG, "pack/__init__.py": "", "pack/words.py": 'WORD = "rainy"\n'}
RUN: Final = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from headway.authoring.execute import Inputs
from headway.authoring.run import Run
from headway.frontends.airflow import loading
from headway.frontends.base import TaskFailed
now = datetime.now(UTC)
workflow = loading.runnable(Path.cwd(), "deep/all.zip")["letters"]
def run(task_id):
    return workflow.execute(task_id, Run(run_id="r", dag_id="letters", task_id=task_id, logical_date=now,
        data_interval=(now, now), trigger="manual", params={}), Inputs())
assert run("count").xcoms == {"return_value": 5}
try:
    run("breaks")
except TaskFailed as error:
    print("failed", error, error.line)
"""


def packed(path: Path, files: dict[str, str]) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def checked(folder: Path) -> tuple[str, str]:
    done = headway("check", ".", cwd=folder)
    return done.stdout, done.stderr


def test_its_dags_are_read_with_their_lines(tmp_path: Path) -> None:
    more = {"draft.py": "from airflow import nothing # dag\n", ".airflowignore": "draft.py\n"}
    packed(tmp_path / "deep/all.zip", {**INSIDE, **more, "plain.py": "x = 1 / 0\n"})
    (tmp_path / "broken.zip").write_bytes(b"PK")
    done = headway("import-airflow", ".", "--output", "json", cwd=tmp_path)
    (found,) = json.loads(done.stdout)["findings"]
    assert (found["file"], found["dag_id"], found["line"]) == ("deep/all.zip", "letters", 7)
    assert found["verdict"] == "runs", found


def test_its_tasks_run_and_fail_with_the_line_inside(tmp_path: Path) -> None:
    packed(tmp_path / "deep/all.zip", INSIDE)
    done = subprocess.run(
        [sys.executable, "-c", RUN], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "failed ValueError: on purpose 14" in done.stdout
    assert 'File "deep/all.zip/one.py", line 14, in breaks' in done.stdout


@pytest.mark.parametrize(
    "text",
    [
        "# airflow dag\n\nx = (\n",
        "# airflow dag\nx = 1\ny = 1 / 0\n",
        "# airflow dag\n\nimport absent\n",
    ],
)
def test_a_mistake_has_file_and_line(text: str, tmp_path: Path) -> None:
    packed(tmp_path / "all.zip", {**INSIDE, "two.py": text})
    shown = "".join(checked(tmp_path))
    assert "all.zip/two.py:3" in shown
    assert "Traceback" not in shown


def test_what_unpacks_to_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(zips, "BYTES_MAX", 3_000_000)
    large = packed(tmp_path / "large.zip", {**INSIDE, "pack/data.py": " " * 4_000_000})
    assert large.stat().st_size < 10_000
    with pytest.raises(BadSpec, match="unpacks to more than 2 MB"):
        zips.sources(large, "large.zip")
    lying = tmp_path / "lying.zip"
    lying.write_bytes(
        large.read_bytes().replace(struct.pack("<L", 4_000_000), struct.pack("<L", 9))
    )
    with pytest.raises(BadSpec, match="unpacks to more than 2 MB"):
        zips.sources(lying, "lying.zip")
    monkeypatch.setattr(zips, "MEMBERS_MAX", 2)
    with pytest.raises(BadSpec, match="more than 2 files"):
        zips.sources(packed(tmp_path / "many.zip", INSIDE), "many.zip")


def test_people_read_the_files_inside(tmp_path: Path) -> None:
    one = packed(tmp_path / "all.zip", INSIDE).read_bytes()
    assert FRONT_END.text(one).decode() == DAG
    two = packed(tmp_path / "two.zip", {**INSIDE, "two.py": "# dag of airflow\n"}).read_bytes()
    assert FRONT_END.text(two).decode() == f"# one.py\n\n{DAG}\n# two.py\n\n# dag of airflow\n"
    assert FRONT_END.text(DAG.encode()).decode() == DAG


def test_what_is_damaged_is_told(tmp_path: Path) -> None:
    whole = packed(tmp_path / "all.zip", {**INSIDE, "pack/data.txt": "abc" * 5000}).read_bytes()
    place = whole.index(b"pack/data.txt") + 20
    (tmp_path / "all.zip").write_bytes(whole[:place] + b"\xff" * 20 + whole[place + 20 :])
    with pytest.raises(BadSpec, match="the archive is damaged"):
        zips.sources(tmp_path / "all.zip", "all.zip")


@pytest.mark.long
def test_people_can_run_one(tmp_path: Path) -> None:
    calm = DAG.replace("    breaks()\n", "")
    packed(tmp_path / "dags/deep/all.zip", {**INSIDE, "one.py": calm})
    done = headway("run", "letters", "--dags", "dags", "--output", "json", cwd=tmp_path)
    told: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    assert told["state"] == "success", done.stderr
