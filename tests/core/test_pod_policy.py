"""Images and priority classes as a policy allows them, and patterns that whoever writes them cannot make expensive."""

import re
from itertools import product

import pytest

from headway.core.globs import fits
from headway.core.pod_policy import PodPolicy, Wish, covers, matches, violation

MANY = "*a" * 100


@pytest.mark.parametrize(
    ("image", "patterns", "allowed"),
    [
        ("ghcr.io/acme/jobs:3", ["ghcr.io/acme/*"], True),
        ("ghcr.io/acme/jobs:3", ["quay.io/*", "ghcr.io/*/jobs:*"], True),
        ("ghcr.io/acme/jobs", ["ghcr.io/*/jobs:*"], False),
        ("ghcr.io/acme/jobs", ["ghcr.io/acme"], False),
        ("ghcr.io/acme", ["ghcr.io/acme*acme"], False),  # one text cannot be the begin and the end
        ("python", ["docker.io/library/p*n"], True),
        ("python", ["*"], True),
        ("python", [], False),
    ],
)
def test_one_of_the_patterns_must_match(image: str, patterns: list[str], allowed: bool) -> None:
    assert matches(image, patterns) is allowed


def test_a_pattern_finds_what_its_regular_expression_finds() -> None:
    texts = ["".join(chars) for size in range(5) for chars in product("ab", repeat=size)]
    for size in range(6):
        for chars in product("ab*", repeat=size):
            expression = re.compile("".join(chars).replace("*", ".*"))
            for text in texts:
                assert fits("".join(chars), text) == bool(expression.fullmatch(text)), (chars, text)


def test_a_pattern_of_many_stars_is_compared_in_one_pass() -> None:
    """As a regular expression each of these takes longer than anyone waits."""
    assert not covers("a" * 250, [f"{MANY}b"])
    assert not covers("a" * 99, [MANY])
    assert covers("a" * 100, [MANY])
    policy = PodPolicy(images=(f"{MANY}*b",), priority_classes=(f"{MANY}*b",))
    told = violation(policy, Wish(images=("a" * 250,), asks={}))
    assert "is not allowed here" in (told or "")
    told = violation(policy, Wish(asks={}, priority_class="a" * 250))
    assert "the priority class" in (told or "")
