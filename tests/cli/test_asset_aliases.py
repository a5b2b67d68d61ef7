"""An alias of assets, from the DAG file to what commands say of it, on a server."""

from contextlib import closing
from pathlib import Path

from headway.client import client_of
from headway.config import Layout
from tests.cli.conftest import Command, wait_for_dag, wait_until
from tests.tidy.tree import ROOT


def test_a_dag_runs_when_assets_are_added_to_its_alias(cli: Command, home: Path) -> None:
    """The example: nothing is added yet, then two files are, and the run has both."""
    source = (ROOT / "examples" / "assets" / "files.py").read_text(encoding="utf-8")
    (home / "dags" / "files.py").write_text(source, encoding="utf-8")
    wait_for_dag(home / ".headway", "use_files")
    why = cli("why", "use_files").stdout
    assert "it waits for events of the alias `daily_files`" in why
    assert "alias daily_files: no task has added an asset to it yet" in why
    assert (
        "no task has added an asset to it yet" in cli("asset", "show", "@alias:daily_files").stderr
    )
    assert cli("run", "receive_files").returncode == 0
    with closing(client_of(Layout(home / ".headway"))) as client:
        wait_until(
            lambda: [run.state for run in client.runs(5, dag_id="use_files")] == ["success"],
            "it did not run",
        )
        (run,) = client.runs(5, dag_id="use_files")
        (result,) = client.xcoms(run.run_id)
        assert (run.trigger, result.value) == ("asset", ["eu", "us"])
    shown = cli("asset", "show", "@alias:daily_files")
    assert '{"region": "eu"}' in shown.stdout
    assert "files/us" in shown.stdout
    assert "its assets: files/eu, files/us" in shown.stderr
    assert "alias daily_files" in cli("asset", "ls").stdout
    refused = cli("asset", "emit", "@alias:daily_files")
    assert (refused.returncode, "is an alias" in refused.stderr) == (2, True)
    assert "there is an alias of this name" in cli("asset", "show", "daily_files").stderr
