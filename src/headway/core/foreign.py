"""Names of what belongs to another team: ``@team/name``, wherever a DAG file names an asset, a DAG or a pool.

No name of a team's own begins with ``@``, so such a name never means something of the own team by accident, and what
it means does not depend on who is asked. It opens nothing: a grant does.
"""

from typing import Final, NamedTuple

from headway.core.teams import name_trouble

MARK: Final = "@"


class Foreign(NamedTuple):
    team: str
    name: str

    def __str__(self) -> str:
        return f"{MARK}{self.team}/{self.name}"


def foreign(text: str) -> Foreign | None:
    """Return the team and the name that ``@team/name`` means; None for every other text."""
    team, slash, name = text.removeprefix(MARK).partition("/")
    if not text.startswith(MARK) or not slash or not name or name_trouble(team) is not None:
        return None
    return None if name.startswith(MARK) else Foreign(team, name)


def flaw(text: str) -> str | None:
    """Return what is wrong with a name that begins as one of another team does."""
    if not text.startswith(MARK) or foreign(text) is not None:
        return None
    return f"begins with {MARK}, which is for names of other teams: {MARK}team/name"
