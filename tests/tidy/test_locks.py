"""The lock files hold what pyproject.toml asks for, pinned and hashed, and name no index."""

import re
import tomllib
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.tidy.tree import ROOT

PROJECT: Final[dict[str, Any]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
WANTED: Final[dict[str, list[str]]] = {
    "runtime": PROJECT["project"]["dependencies"],
    **PROJECT["project"]["optional-dependencies"],
    **PROJECT["dependency-groups"],
}
PINNED: Final = re.compile(r"^(\S+)==(\S+)(?: ; (.*?))? \\\n", re.MULTILINE)


@pytest.mark.parametrize("group", WANTED)
def test_a_lock_holds_what_is_asked_for(group: str) -> None:
    text = (ROOT / "requirements" / f"{group}.lock").read_text("utf-8")
    pinned: dict[str, list[str]] = {}
    everywhere = set()
    for name, version, marker in PINNED.findall(text):
        pinned.setdefault(canonicalize_name(name), []).append(version)
        if "platform" not in marker:
            everywhere.add(canonicalize_name(name))
    stale = [
        wanted
        for wanted in map(Requirement, WANTED[group])
        if (name := canonicalize_name(wanted.name)) not in everywhere
        or not all(wanted.specifier.contains(version) for version in pinned[name])
    ]
    assert stale == [], "write the lock files anew: make lock"


@pytest.mark.parametrize("group", WANTED)
def test_a_lock_is_hashed_and_names_no_place(group: str) -> None:
    text = (ROOT / "requirements" / f"{group}.lock").read_text("utf-8")
    entries = PINNED.split(text)
    assert len(entries) > 1
    assert all("--hash=sha256:" in entry for entry in entries[4::4])
    assert "://" not in text
    assert not re.search(r"^--|find-links|index-url", text, re.MULTILINE)
