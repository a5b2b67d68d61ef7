"""The data directory: what lies in it is its owner's."""

import stat
from pathlib import Path

from headway.config import Layout


def test_results_and_logs_of_an_earlier_version_are_closed_to_others(tmp_path: Path) -> None:
    for folder in ("logs", "xcom", "logs/server"):
        (tmp_path / folder).mkdir(mode=0o755)
    Layout(tmp_path).prepare()
    Layout(tmp_path).prepare()
    for folder in ("logs", "xcom", "run"):
        assert stat.S_IMODE((tmp_path / folder).stat().st_mode) == 0o700
