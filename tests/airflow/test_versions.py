"""The releases of Airflow that are supported: one place names them, and with each of them all of its examples load."""

import re
import tomllib
from pathlib import Path
from typing import Final

import pytest
from bench.airflow.support import copy_examples

from headway.frontends.airflow import installed
from headway.loader.check import check

ROOT: Final = Path(__file__).parents[2]


def test_one_place_names_the_releases_and_all_others_agree() -> None:
    """The extra allows them, each has a lock file, the command and the page name them."""
    first, *_, last = installed.SUPPORTED
    extra = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    major, minor = last.split(".")
    assert extra["airflow"] == [f"apache-airflow>={first},<{major}.{int(minor) + 1}"]
    for version in installed.SUPPORTED:
        name = "airflow.lock" if version == last else f"airflow-{version}.lock"
        lock = (ROOT / "requirements" / name).read_text()
        assert re.search(rf"^apache-airflow-core=={re.escape(version)}\.\d+ ", lock, re.M), name
    assert (
        f"Airflow {' or '.join(installed.SUPPORTED)},"
        in (ROOT / "docs/from-airflow.md").read_text()
    )


def test_the_installed_one_is_supported() -> None:
    found = installed.found()
    assert found is not None
    assert found.rpartition(".")[0] in installed.SUPPORTED


@pytest.mark.long
def test_every_example_of_the_installed_airflow_loads(tmp_path: Path) -> None:
    copy_examples(tmp_path)
    found = check(tmp_path)
    assert not [(each.file, each.error) for each in found if each.error]
    assert sum(len(each.dags) for each in found) > 90  # 3.2 has the fewest
