"""The file of ``headway team apply``: teams with their settings, members, pools and grants, read with file and line.

teams:
  marketing:
    title: Marketing          # each key may be left out: then it stays as it is
    slots: 40                 # null: no nominal share of its own
    weight: 2
    limits: {open_runs: 1000, requests_per_s: null}   # null: no such limit
    cluster: {cpu: 64, memory: 256Gi, egress: [10.0.0.0/8:5432]}   # null: that of the executor
    members: {ann: admin, bob: viewer}   # all of them, besides the local admin and who applies it
    pools: {default: 128, etl: 4}        # those that the file looks after
    grants: {sales: {daily_delays: [see_runs, start]}}   # all that other teams may do with DAGs of this one
    asks: {finance: {ledger: [see_runs]}}                # what this team wants to do with DAGs of others
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

from msgspec import UNSET, UnsetType

from headway.cli import team_cluster
from headway.core import cluster as in_cluster
from headway.core import limits
from headway.core import teams as core
from headway.core.cluster import ClusterSettings
from headway.core.grants import GrantKind
from headway.core.roles import Role
from headway.errors import NotFound, UsageError
from headway.spec.errors import did_you_mean

T = TypeVar("T")

KEYS: Final = (
    *("title", "slots", "weight", "limits", "cluster", "members", "pools", "grants", "asks"),
)
# What people look for here, and where it is instead.
ELSEWHERE: Final = {
    "connections": "they are set by `headway conn set ID --team TEAM`, or kept in a secret backend",
    "variables": "they are set by `headway var set KEY --team TEAM`, or kept in a secret backend",
    "roles": "they are created by `headway role create NAME --team TEAM`",
    "role_map": "it is in the file of HEADWAY_SIGN_IN, for all teams: [[rule]]",
    "tokens": "they are created by `headway token create NAME --team TEAM`",
    "dags": "they are in the folder of the team, to which --dags leads",
}
NOWHERE: Final[Mapping[str, str]] = {}
USER: Final = re.compile(r"[a-z0-9]([a-z0-9._@-]{0,62}[a-z0-9])?")
FILE_BYTES_MAX: Final = 1_000_000


class Between(NamedTuple):
    """The other team of a grant, a DAG or asset of the owner, and what may be done with it."""

    team: str
    name: str
    kind: GrantKind


@dataclass(frozen=True, slots=True)
class FileTeam:
    """A team as the file has it. What the file leaves out is not looked after."""

    name: str
    title: str | UnsetType | None = UNSET
    slots: int | UnsetType | None = UNSET
    weight: float | UnsetType | None = UNSET
    limits: Mapping[str, int | None] | None = None
    cluster: Mapping[str, Any] | None = None  # settings as ``wire.ClusterChange`` has them
    members: Mapping[str, Role] | None = None
    pools: Mapping[str, int] | None = None
    grants: frozenset[Between] | None = None
    asks: frozenset[Between] = frozenset()


def read(file: Path) -> list[FileTeam]:
    """Read the file. Raises UsageError with the line of the first mistake, NotFound without a file."""
    import yaml  # type: ignore[import-untyped]

    try:
        text = file.read_text("utf-8")
    except FileNotFoundError as error:
        raise NotFound("the file does not exist", where=str(file)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"the file cannot be read: {error}", where=str(file)) from error
    if len(text) > FILE_BYTES_MAX:
        raise UsageError("the file is larger than 1 MB", where=str(file))
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise UsageError(f"not valid YAML: {error.problem}", where=f"{file}:{line}") from error
    except yaml.YAMLError as error:
        raise UsageError(f"not valid YAML: {error}", where=str(file)) from error
    return Reader(file).teams(root)


class Reader:
    """Reads nodes of YAML, and knows where each of them is."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def teams(self, root: Any) -> list[FileTeam]:
        if root is None:
            raise UsageError(
                "the file is empty", where=str(self.file), hint="it begins with: teams:"
            )
        found = self.mapping(root, "the file", ("teams",))
        return [
            self.team(name, node)
            for name, node in self.mapping(found.get("teams", root), "teams", None).items()
        ]

    def team(self, name: str, node: Any) -> FileTeam:
        if (trouble := core.name_trouble(name)) is not None:
            raise self.wrong(node, trouble)
        what = f"the team {name}"
        keys = {} if self.is_null(node) else self.mapping(node, what, KEYS, ELSEWHERE)
        given: dict[str, Any] = {}
        for key, read, check in (
            ("title", str, core.title_trouble),
            ("slots", int, core.slots_trouble),
            ("weight", float, core.weight_trouble),
        ):
            if key in keys:
                given[key] = self.setting(keys[key], key, read, check)
        if "limits" in keys:
            given["limits"] = self.limits(keys["limits"])
        if "cluster" in keys:
            given["cluster"] = self.cluster(keys["cluster"])
        if "members" in keys:
            given["members"] = self.members(keys["members"])
        if "pools" in keys:
            given["pools"] = self.pools(keys["pools"])
        for key in ("grants", "asks"):
            if key in keys:
                given[key] = frozenset(self.grants(name, key, keys[key]))
        return FileTeam(name, **given)

    def setting(
        self, node: Any, key: str, read: type[T], check: Callable[[Any], str | None]
    ) -> T | None:
        if self.is_null(node):
            return None
        value = self.scalar(node, key, read)
        if (trouble := check(value)) is not None:
            raise self.wrong(node, trouble)
        return value

    def members(self, node: Any) -> dict[str, Role]:
        found = {}
        for name, role in self.mapping(node, "members", None).items():
            if not USER.fullmatch(name):
                raise self.wrong(role, f"{name!r} is not a valid user name")
            text = self.scalar(role, f"the role of {name}", str)
            if text not in list(Role):
                hint = did_you_mean(text, list(Role)) or f"one of: {', '.join(Role)}"
                raise self.wrong(role, f"{text!r} is not a role", hint)
            found[name] = Role(text)
        return found

    def limits(self, node: Any) -> dict[str, int | None]:
        found: dict[str, int | None] = {}
        for name, value in self.mapping(node, "limits", tuple(limits.WORDS)).items():
            found[name] = None if self.is_null(value) else self.scalar(value, name, int)
            if (most := found[name]) is not None and (wrong := limits.trouble(name, most)):
                raise self.wrong(value, wrong)
        return found

    def cluster(self, node: Any) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, value in self.mapping(node, "cluster", team_cluster.NAMES).items():
            if self.is_null(value):
                found[name] = None
            elif name in team_cluster.MAPS:
                pairs = self.mapping(value, name, None).items()
                found[name] = {key: self.scalar(each, key, str) for key, each in pairs}
            elif name in team_cluster.LISTS:
                found[name] = self.texts(value, name)
            elif name in team_cluster.FLAGS:
                found[name] = self.flag(value, name)
            else:
                found[name] = self.scalar(value, name, int if name in team_cluster.COUNTS else str)
        set_ = {name: value for name, value in found.items() if value is not None}
        set_ |= {name: tuple(each) for name, each in set_.items() if isinstance(each, list)}
        if (wrong := in_cluster.trouble(ClusterSettings(**set_))) is not None:
            raise self.wrong(node, wrong)
        return found

    def flag(self, node: Any, what: str) -> bool:
        if getattr(node, "tag", "") != "tag:yaml.org,2002:bool":
            raise self.wrong(node, f"{what} must be true or false")
        return str(node.value).lower() in ("true", "yes", "on")

    def texts(self, node: Any, what: str) -> list[str]:
        if node.id != "sequence":
            raise self.wrong(node, f"{what} must be a list, such as `[a, b]`")
        return [self.scalar(each, f"an entry of {what}", str) for each in node.value]

    def pools(self, node: Any) -> dict[str, int]:
        found = {}
        for name, slots in self.mapping(node, "pools", None).items():
            value = self.scalar(slots, f"the slots of {name}", int)
            if (trouble := core.slots_trouble(value)) is not None:
                raise self.wrong(slots, trouble)
            found[name] = value
        return found

    def grants(self, name: str, key: str, node: Any) -> Iterator[Between]:
        for other, of_team in self.mapping(node, key, None).items():
            trouble = core.name_trouble(other)
            if trouble is not None or other == name:
                raise self.wrong(of_team, trouble or "a grant is between two teams")
            for named, kinds in self.mapping(of_team, f"{key} of {other}", None).items():
                if kinds.id != "sequence":
                    raise self.wrong(kinds, f"{named} must have a list, such as [see_runs]")
                for each in kinds.value:
                    yield Between(other, named, self.kind(each))

    def kind(self, node: Any) -> GrantKind:
        text = self.scalar(node, "what a grant allows", str)
        if text not in list(GrantKind):
            hint = did_you_mean(text, list(GrantKind)) or f"one of: {', '.join(GrantKind)}"
            raise self.wrong(node, f"{text!r} is not something that a grant allows", hint)
        return GrantKind(text)

    def mapping(
        self,
        node: Any,
        what: str,
        known: tuple[str, ...] | None,
        elsewhere: Mapping[str, str] = NOWHERE,
    ) -> dict[str, Any]:
        """Return the values by key. Raises UsageError for another kind of node, and for an unknown or repeated key."""
        if node.id != "mapping":
            raise self.wrong(node, f"{what} must have keys with values, such as `name: …`")
        found: dict[str, Any] = {}
        for key, value in node.value:
            name = self.scalar(key, "a key", str)
            if name in found:
                raise self.wrong(key, f"{name!r} is there twice")
            if known is not None and name not in known:
                usual = did_you_mean(name, list(known)) or f"one of: {', '.join(known)}"
                hint = elsewhere.get(name, usual)
                raise self.wrong(key, f"{what} has no key {name!r}", hint)
            found[name] = value
        return found

    def scalar(self, node: Any, what: str, kind: type[T]) -> T:
        """Return a text or number. YAML's other guesses (yes, 1e3, dates) are texts here."""
        if node.id != "scalar":
            raise self.wrong(node, f"{what} must be one value")
        try:
            return kind(node.value)  # type: ignore[call-arg]
        except ValueError:
            word = {int: "a whole number", float: "a number"}[kind]
            raise self.wrong(node, f"{what} must be {word}, not {node.value!r}") from None

    def is_null(self, node: Any) -> bool:
        return node.id == "scalar" and str(node.tag).endswith(":null")

    def wrong(self, node: Any, message: str, hint: str | None = None) -> UsageError:
        return UsageError(message, where=f"{self.file}:{node.start_mark.line + 1}", hint=hint)
