"""The policy of the pods of a team: as options, in the file of teams, and as it is shown."""

from pathlib import Path

import pytest
from msgspec import UNSET

from headway import wire
from headway.cli import team_cluster, team_file
from headway.errors import UsageError

NONE = (None,) * 8


def test_options_become_settings() -> None:
    asked = team_cluster.change(*NONE, ["ghcr.io/acme/*"], "8", "64Gi", "2", ["batch-*"], "yes")
    assert isinstance(asked, wire.ClusterChange)
    assert asked.images == ["ghcr.io/acme/*"]
    assert (asked.task_cpu, asked.task_memory, asked.task_gpu) == ("8", "64Gi", 2)
    assert (asked.priority_classes, asked.owner_required) == (["batch-*"], True)
    reset = team_cluster.change(*NONE, ["default"], "default", None, None, None, "default")
    assert isinstance(reset, wire.ClusterChange)
    assert (reset.images, reset.task_cpu, reset.owner_required) == (None, None, None)
    assert reset.task_memory is UNSET
    assert team_cluster.change(*NONE) is UNSET
    with pytest.raises(UsageError, match="'maybe' is not yes or no"):
        team_cluster.change(*NONE, owner_required="maybe")


def test_the_file_of_teams_has_them_too(tmp_path: Path) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text(
        "teams:\n  shop:\n    cluster:\n      images: [ghcr.io/acme/*]\n      task_memory: 64Gi\n"
        "      owner_required: true\n      priority_classes: null\n"
    )
    (team,) = team_file.read(file)
    assert team.cluster == {
        "images": ["ghcr.io/acme/*"],
        "task_memory": "64Gi",
        "owner_required": True,
        "priority_classes": None,
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("owner_required: 1", "owner_required must be true or false"),
        ("images: ghcr.io/acme", "images must be a list"),
        ('images: ["a b"]', "'a b' is not a pattern of images, such as ghcr.io/acme/*"),
        ("task_cpu: lots", "task_cpu is 'lots', it must be an amount above 0"),
        ("task_gpu: -1", "task_gpu must be 0 to"),
    ],
)
def test_what_is_wrong_in_the_file_has_its_line(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "teams.yaml"
    file.write_text(f"teams:\n  shop:\n    cluster:\n      {text}\n")
    with pytest.raises(UsageError) as refused:
        team_file.read(file)
    assert why in str(refused.value)
    assert f"{file}:4" in str(refused.value)


def test_they_are_shown() -> None:
    shown = wire.TeamCluster(
        cpu=None,
        memory=None,
        gpu=None,
        pods=None,
        pending_deadline_s=None,
        annotations={},
        pull_secrets=[],
        egress=[],
        found=[],
        images=["ghcr.io/acme/*"],
        owner_required=False,
    )
    assert team_cluster.settings(shown) == "images ghcr.io/acme/*, owner_required no"
