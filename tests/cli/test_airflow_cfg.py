"""What ``airflow.cfg`` says is read as Airflow reads it. ``tests/airflow/test_metadata.py`` reads the database."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from headway.cli.airflow_metadata import source_of


@pytest.mark.parametrize(
    ("written", "environment", "url"),
    [
        ("postgresql://af:p%%40ss@db/airflow", {}, "postgresql://af:p%40ss@db/airflow"),
        ("postgresql://af:p%40ss@db/airflow", {}, "postgresql://af:p%40ss@db/airflow"),
        ("postgresql://af@%(place)s/airflow", {}, "postgresql://af@db/airflow"),
        ("postgresql://af:${PW}@db/$NAME", {"PW": "x", "NAME": "y"}, "postgresql://af:x@db/y"),
        ("postgresql://af:$PW@db/airflow", {"PW": "a%%b"}, "postgresql://af:a%%b@db/airflow"),
        ("postgresql://af:$NONE@db/airflow", {}, "postgresql://af:$NONE@db/airflow"),
    ],
)
def test_percent_signs_and_variables_of_the_file_mean_what_they_mean_in_airflow(
    written: str, environment: Mapping[str, str], url: str, tmp_path: Path
) -> None:
    file = tmp_path / "airflow.cfg"
    file.write_text(f"[database]\nplace = db\nsql_alchemy_conn = {written}\n")
    assert source_of(file, environment).url == url


def test_what_the_environment_says_is_taken_as_it_is_but_for_variables(tmp_path: Path) -> None:
    file = tmp_path / "airflow.cfg"
    file.write_text("[core]\nfernet_key = $KEYS\n")
    given = {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://af:a%40b@$HOST/x", "HOST": "db"}
    source = source_of(file, {**given, "KEYS": "one, two"})
    assert source.url == "postgresql://af:a%40b@db/x"
    assert source.keys == ("one", "two")
