"""Aliases of assets: names under which a task says at run time which assets it has updated.

Wherever a spec or a table has the name of an asset, ``@alias:NAME`` is an alias of the team. No asset and no team can
have such a name.
"""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

MARK: Final = "@alias:"
ASSETS_MAX: Final = 1_000  # of one alias
ALIASES_MAX: Final = 20  # of one asset: each of its events is one of each alias
TEAM_MAX: Final = 10_000  # assets of a team, from which on no alias makes another one
ADDED_MAX: Final = 100  # assets that one attempt may add


def key(name: str) -> str:
    """Return an alias as a spec names it."""
    return MARK + name


def alias_of(text: str) -> str | None:
    """Return the name of an alias; None: the text names an asset."""
    return text[len(MARK) :] if text.startswith(MARK) and len(text) > len(MARK) else None


def quoted(text: str) -> str:
    """Return an asset or an alias inside a sentence."""
    alias = alias_of(text)
    return f"`{text}`" if alias is None else f"the alias `{alias}`"


def said(text: str) -> str:
    """Return an asset or an alias as people read it."""
    alias = alias_of(text)
    return text if alias is None else f"alias {alias}"


class Addition(NamedTuple):
    """An asset that a task has added through an alias, which does not have it yet.

    ``told``: what the task said of it, as JSON; ``known``: the team has it. The counts are those of before.
    """

    team_id: int
    alias: str
    asset: str
    position: int
    told: str | None
    known: bool
    of_alias: int  # its assets
    of_asset: int  # its aliases
    of_team: int  # its assets, if it does not have this one

    def definition(self) -> dict[str, Any]:
        """Return the asset as it is to be stored."""
        said = json.loads(self.told or "{}")
        return {
            "uri": said.get("uri") or self.asset,
            "asset_group": said.get("group") or "",
            "extra": said.get("extra") or {},
        }


def admit(new: Sequence[Addition]) -> tuple[list[Addition], list[tuple[Addition, str]]]:
    """Return what aliases take, in the order in which it is given, and what they do not, with the reason."""
    taken: list[Addition] = []
    refused: list[tuple[Addition, str]] = []
    more: Counter[tuple[object, ...]] = Counter()
    made: set[tuple[int, str]] = set()
    for one in new:
        alias, asset, team = (
            (one.team_id, 0, one.alias),
            (one.team_id, 1, one.asset),
            (one.team_id,),
        )
        is_new = not one.known and (one.team_id, one.asset) not in made
        if one.of_alias + more[alias] >= ASSETS_MAX:
            refused.append((one, f"the alias has {ASSETS_MAX:,} assets, which is the limit"))
        elif one.of_asset + more[asset] >= ALIASES_MAX:
            refused.append((one, f"the asset has {ALIASES_MAX} aliases, which is the limit"))
        elif is_new and one.of_team + more[team] >= TEAM_MAX:
            refused.append((one, f"the team has {TEAM_MAX:,} assets, which is the limit"))
        else:
            taken.append(one)
            more.update([alias, asset])
            if is_new:
                more[team] += 1
                made.add((one.team_id, one.asset))
    return taken, refused
