"""Names of what belongs to other teams."""

import pytest

from headway.core.foreign import Foreign, flaw, foreign


@pytest.mark.parametrize(
    ("text", "team", "name"),
    [
        ("@shop/orders", "shop", "orders"),
        ("@a-b/s3://bucket/key", "a-b", "s3://bucket/key"),
        ("@shop/x@y", "shop", "x@y"),
    ],
)
def test_a_name_of_another_team(text: str, team: str, name: str) -> None:
    found = foreign(text)
    assert found == Foreign(team, name)
    assert (str(found), flaw(text)) == (text, None)


@pytest.mark.parametrize("text", ["orders", "shop/orders", "s3://shop/@orders", "a@b/c", ""])
def test_a_name_of_the_own_team(text: str) -> None:
    assert foreign(text) is None
    assert flaw(text) is None


@pytest.mark.parametrize(
    "text", ["@", "@shop", "@shop/", "@/orders", "@Shop/orders", "@platform/x", "@a/@b/c", "@ a/b"]
)
def test_neither(text: str) -> None:
    assert foreign(text) is None
    assert "@team/name" in (flaw(text) or "")
