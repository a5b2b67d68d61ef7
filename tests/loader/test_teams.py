"""A folder of teams: which team a file is of is decided by where it lies, and by nothing else."""

from pathlib import Path

import pytest

from headway.errors import UsageError
from headway.loader import teams
from headway.loader.check import check
from tests.loader.conftest import DAG

USES_LIB = """
from headway import dag, task
from lib.words import WORD


@dag()
def daily():
    @task
    def say() -> str:
        return WORD

    say()
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "teams"
    for team in ("marketing", "science"):
        (root / team).mkdir(parents=True)
        (root / team / "daily.py").write_text(USES_LIB)
    (root / "marketing" / "lib").mkdir()
    (root / "marketing" / "lib" / "words.py").write_text('WORD = "marketing only"')
    (root / teams.MARK).touch()
    return root


@pytest.mark.parametrize("name", ["teams.yaml", "marketing", ".headwayignore", "headway-teams.yml"])
def test_an_ordinary_folder_is_not_one_of_teams(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert not teams.is_of_teams(tmp_path)


def test_each_folder_is_a_team_and_what_is_not_is_told(root: Path) -> None:
    for name in ("Bad_Name", "all", ".git", "__pycache__"):
        (root / name).mkdir()
    (root / "loose.py").write_text(DAG)
    (root / "README.md").touch()
    found = teams.team_folders(root)
    assert [*found.folders] == ["marketing", "science"]
    assert found.problems == {
        "Bad_Name": "'Bad_Name' is not a valid team name, so the folder is not used",
        "all": "'all' is reserved, so no team can have this name, so the folder is not used",
        "loose.py": "the file is in no team's folder, so it is not used",
    }


def test_the_team_of_a_file_is_that_of_its_folder(root: Path) -> None:
    file = root / "science" / "deep" / "x.py"
    assert teams.root_above(file) == root
    assert teams.team_of(root, file) == ("science", root / "science")
    for elsewhere in (root / "loose.py", root / ".." / "x.py", root / "science" / ".." / "x.py"):
        with pytest.raises(UsageError, match="in no team's folder"):
            teams.team_of(root, elsewhere)


def test_a_module_of_a_team_is_importable_in_its_own_files_only(root: Path) -> None:
    for place in (root, root / "marketing" / "daily.py", root / "science" / "daily.py"):
        found = {each.file: each for each in check(place)}
        for file, each in found.items():
            if file.startswith("marketing") or "marketing" in place.parts:
                assert (each.error, [dag.dag_id for dag in each.dags]) == (None, ["daily"])
            else:
                assert each.error is not None
                assert "No module named 'lib'" in each.error.message
    assert len(check(root)) == 2  # the same DAG id in two teams is no duplicate


def test_a_file_that_claims_a_team_is_an_error(root: Path) -> None:
    file = root / "science" / "claims.py"
    file.write_text(DAG.format(dag_id="a", tag="b").replace("tags=", 'team="marketing", tags='))
    (found,) = check(file)
    assert found.error is not None
    assert 'no option "team"' in found.error.message
    assert "that of the folder it comes from" in str(found.error.hint)
