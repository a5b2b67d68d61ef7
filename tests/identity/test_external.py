"""People whom somebody else signs in, as far as no database is asked: who they are, and how they are called here."""

import pytest

from headway.identity.accounts import DISPLAY_NAME_CHARS_MAX
from headway.identity.external import NAME_CHARS_MAX, SUBJECT_CHARS_MAX, Told, name_of, told


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        ("ann", "ann"),
        ("CORP\\Ann Lee", "corp-ann-lee"),
        ("Ann.Lee@Example.com", "ann.lee@example.com"),
        ("._@-ann-@_.", "ann"),
        ("_a_", "a"),
        ("Zoë", "zo"),
        ("…", ""),
        ("-", ""),
        ("a" * 99, "a" * NAME_CHARS_MAX),
        ("a" * (NAME_CHARS_MAX - 1) + "-b", "a" * (NAME_CHARS_MAX - 1)),
    ],
)
def test_a_name_here(subject: str, name: str) -> None:
    assert name_of(subject) == name


def test_a_person_is_told() -> None:
    found = told("company", "id-7", ["a", "b"], " Ann\0 Lee ", user="ann")
    assert found == Told("company", "id-7", "ann", ("a", "b"), "Ann Lee")
    assert told("company", "ann", []) == Told("company", "ann", "ann", (), "ann")
    for nothing in ("", " ", "\0"):
        assert told("company", "ann", [], nothing) == Told("company", "ann", "ann", (), "ann")
    long = told("company", "ann", [], "x" * 999)
    assert isinstance(long, Told)
    assert long.display_name == "x" * DISPLAY_NAME_CHARS_MAX


LONG = "the name is too long or has characters that cannot be shown"
BARE = "the name has neither a letter nor a digit of ASCII"


@pytest.mark.parametrize(
    ("subject", "user", "why"),
    [
        ("a" * SUBJECT_CHARS_MAX, None, None),
        ("a" * (SUBJECT_CHARS_MAX + 1), None, LONG),
        ("a", "b" * (SUBJECT_CHARS_MAX + 1), LONG),
        ("a" * (SUBJECT_CHARS_MAX + 1), "b", LONG),
        ("a\nb", None, LONG),
        ("a", "b\0", LONG),
        ("a\0", "b", LONG),
        ("…", None, BARE),
        ("id", "…", BARE),
        ("…", "ann", None),  # who it is there is no name here
        ("", None, BARE),
    ],
)
def test_who_nobody_can_be(subject: str, user: str | None, why: str | None) -> None:
    found = told("company", subject, (), user=user)
    assert found == why if why is not None else isinstance(found, Told)
