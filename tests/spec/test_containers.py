"""What a task says of its container."""

from typing import Any

import pytest

from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Task, decode, encode
from headway.spec.validate import validate


def dag(**options: Any) -> Dag:
    return Dag(dag_id="d", file="d.py", tasks=(Task(task_id="a", **options),))


def test_image_and_resources_are_part_of_the_spec() -> None:
    resources = {"cpu": "500m", "memory": "1.5Gi", "nvidia.com/gpu": "1"}
    made = dag(executor="kubernetes", image="ghcr.io/acme/jobs:7@sha256:ab", resources=resources)
    validate(made)
    assert decode(encode(made)) == made
    assert b"image" not in encode(dag())  # what has none keeps its hash


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"image": "x"}, "only an executor with containers reads"),
        ({"resources": {"cpu": "1"}}, "only an executor with containers reads"),
        ({"capacity": "spot"}, "only an executor with containers reads"),
        ({"executor": "k", "capacity": "sopt"}, "the capacity 'sopt' is not valid"),
        ({"executor": "k", "image": "no spaces"}, "is not a valid name"),
        (
            {"executor": "k", "resources": {"memroy": "1Gi"}},
            "the resource 'memroy' is not a valid name",
        ),
        ({"executor": "k", "resources": {"memory": "1 GB"}}, "memory is '1 GB'"),
        ({"executor": "k", "resources": {"cpu": "0"}}, "it must be an amount above 0"),
        ({"executor": "k", "resources": {"cpu": "-1"}}, "it must be an amount above 0"),
    ],
)
def test_what_is_wrong_is_said(options: dict[str, Any], why: str) -> None:
    with pytest.raises(BadSpec) as refused:
        validate(dag(**options))
    assert why in str(refused.value)
