"""Migrations only add: processes of the version before go on with the schema of this one.

What the first released schema holds may be contracted only by a later version, once no process that
uses it is left; such a file is to be named here, with the version that still used it.
"""

import re
from pathlib import Path
from typing import Final

import pytest

from tests.tidy.tree import ROOT

FOLDER: Final = ROOT / "src/headway/store/migrations"
CREATES_ALL: Final = 2  # up to this one there is no version before
CONTRACTIONS: Final = {
    "0017_reasons": "0.1.0 is the first release, and comes after it",
    "0021_names": "0.1.0 is the first release, and comes after it",
    "0023_entering": "0.1.0 is the first release, and comes after it: the version before does not seal its team",
    "0026_numbers": "0.1.0 is the first release, and comes after it",
    "0049_grants_of_assets_and_waits": "0.1.0 is the first release, and comes after it",
}

TAKES_AWAY: Final = {
    "drops": re.compile(r"\bDROP\s+(TABLE|COLUMN|VIEW|TYPE|FUNCTION|DEFAULT|SCHEMA|ROLE)\b", re.I),
    "renames": re.compile(r"\bRENAME\b", re.I),
    "changes a type": re.compile(r"\bALTER\s+(COLUMN\s+)?\w+\s+(SET\s+DATA\s+)?TYPE\b", re.I),
    "asks for a value that the version before does not write": re.compile(
        r"\bSET\s+NOT\s+NULL\b|\bADD\s+COLUMN\b(?:(?!\bDEFAULT\b|\bGENERATED\b)[^,;])*\bNOT\s+NULL\b"
        r"(?:(?!\bDEFAULT\b|\bGENERATED\b)[^,;])*[,;]",
        re.I,
    ),
}


def statements(text: str) -> str:
    """Without comments."""
    return re.sub(r"--[^\n]*", "", text)


def broken(text: str) -> list[str]:
    return [what for what, pattern in TAKES_AWAY.items() if pattern.search(statements(text))]


FILES = [file for file in sorted(FOLDER.glob("*.sql")) if int(file.name[:4]) > CREATES_ALL]


@pytest.mark.parametrize("file", FILES, ids=[file.stem for file in FILES])
def test_a_migration_only_adds(file: Path) -> None:
    if file.stem not in CONTRACTIONS:
        assert broken(file.read_text("utf-8")) == []


def test_a_team_is_sealed() -> None:
    """Injected SQL sets app.team_id as it likes (ADR 25)."""
    (first,) = (file.name for file in FILES if file.stem.endswith("_entering"))
    for file in FILES:
        if file.name > first:
            assert "app.team_id" not in statements(file.read_text("utf-8")), (
                f"{file.name}: compare with (SELECT entered_team()) instead"
            )


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("ALTER TABLE run DROP COLUMN reason;", True),
        ("ALTER TABLE run RENAME COLUMN reason TO why;", True),
        ("ALTER TABLE run ALTER COLUMN reason TYPE varchar;", True),
        ("ALTER TABLE run ADD COLUMN x text NOT NULL;", True),
        ("ALTER TABLE run ALTER reason SET NOT NULL;", True),
        ("ALTER TABLE run ADD COLUMN x text; -- DROP TABLE run", False),
        ("ALTER TABLE run ADD COLUMN x text NOT NULL DEFAULT '';", False),
        ("CREATE TABLE x (y text NOT NULL);", False),
    ],
)
def test_what_takes_away_is_seen(text: str, wrong: bool) -> None:
    assert bool(broken(text)) == wrong
