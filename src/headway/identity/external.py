"""People whom somebody else signs in: they come with groups, and the role map says what these give.

A person who comes for the first time is created. Memberships by the map are made, changed and ended at each sign-in;
those that an admin gave by hand stay, unless the map says something about that team. A role of the map lapses
``LAPSE_S`` after the last sign-in, so that nobody's tokens keep it longer.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from psycopg import Connection

from headway.core.role_map import PLATFORM, Rule, roles, somebody
from headway.identity.accounts import DISPLAY_NAME_CHARS_MAX
from headway.store import audit, externals
from headway.store.transact import enter_team

SUBJECT_CHARS_MAX: Final = 255
NAME_CHARS_MAX: Final = 64
GROUPS_MAX: Final = 2_000
LAPSE_S: Final = 7 * 86_400.0
ODD: Final = re.compile(r"[^a-z0-9._@-]+")
EDGES: Final = "._@-"


@dataclass(frozen=True, slots=True)
class Told:
    """A person as a way to sign in knows them. ``subject`` is who it is there, for good.

    ``user`` is the name there, which may change.
    """

    way: str
    subject: str
    user: str
    groups: tuple[str, ...]
    display_name: str


def told(
    way: str, subject: str, groups: Iterable[str], display_name: str = "", user: str | None = None
) -> Told | str:
    """Return it, or why nobody can be that. Without ``user`` the subject is the name."""
    name = subject if user is None else user
    if max(len(subject), len(name)) > SUBJECT_CHARS_MAX or not (subject + name).isprintable():
        return "the name is too long or has characters that cannot be shown"
    if not name_of(name):
        return "the name has neither a letter nor a digit of ASCII"
    shown = "".join(filter(str.isprintable, display_name)).strip() or name
    return Told(way, subject, name, tuple(groups), shown[:DISPLAY_NAME_CHARS_MAX])


def name_of(subject: str) -> str:
    """Return the user name for that of another system: ``CORP\\Ann Lee`` becomes ``corp-ann-lee``."""
    return ODD.sub("-", subject.lower()).strip(EDGES)[:NAME_CHARS_MAX].strip(EDGES)


def admit(conn: Connection[Any], told: Told, rules: Sequence[Rule]) -> int | None:
    """Create the person if need be, and make their roles what the map says. Returns None for no role anywhere."""
    teams = externals.team_names(conn)
    verdicts = roles(rules, somebody(told.user, told.groups), teams)
    platform = verdicts.pop(PLATFORM)
    found = externals.admit(
        conn,
        externals.Admitted(
            way=told.way,
            subject=told.subject,
            name=name_of(told.user),
            display_name=told.display_name,
            # Without a rule the map says nothing about a team: what an admin gave by hand stays.
            roles={team: verdict.role for team, verdict in verdicts.items() if verdict.rule},
            is_platform_admin=platform.role is not None,
            lapse_s=LAPSE_S,
        ),
    )
    for change in sorted(found.changes, key=lambda change: change.team_id):
        rule = verdicts[change.team].rule
        enter_team(conn, change.team_id)
        detail = {"before": change.before, "after": change.after, "rule": str(rule or "none")}
        audit.write(
            conn,
            change.team_id,
            audit.Entry(
                actor="role map",
                via=told.way,
                action="members.role_map",
                subject=found.name,
                address="",
                detail=detail,
            ),
        )
    return found.person_id
