"""``headway team``: create, change and delete teams."""

import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import msgspec
import typer
from msgspec import UNSET, UnsetType

from headway import config, wire
from headway.cli import team_apply, team_cluster
from headway.cli.options import Data, Format, Output, Yes, with_settings
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.core.limits import WORDS
from headway.core.roles import Role
from headway.errors import UsageError
from headway.spec.errors import did_you_mean

if TYPE_CHECKING:
    from headway.client import Client
    from headway.core.role_map import Rule
    from headway.identity.settings import SignInSettings

app = typer.Typer(no_args_is_help=True, help="Teams: one control plane for many of them.")

COLUMNS: Final = (
    *("TEAM", "TITLE", "SLOTS", "WEIGHT"),
    *("USED", "WAITING", "DAGS", "MEMBERS", "CREATED"),
)
DEFAULT: Final = "default"
RULED: Final = ("TEAM", "ROLE", "RULE", "NUMBER", "LINE")

SlotsOption = Annotated[
    str | None,
    typer.Option("--slots", metavar="N|default", help="Nominal slots (default: no own share)."),
]
WeightOption = Annotated[
    str | None,
    typer.Option("--weight", metavar="N|default", help="Weight for idle slots (default: 1)."),
]
LimitOption = Annotated[
    list[str] | None,
    typer.Option(
        "--limit",
        metavar="NAME=N|default",
        help=f"Limit (default: none): {', '.join(WORDS)}. Can be repeated.",
    ),
]
TitleOption = Annotated[str | None, typer.Option("--title", help="Title that people read.")]


@app.command("ls")
def list_teams(data: Data = None, output: Format = Output.TABLE) -> None:
    """List teams with their settings and what they use now."""
    teams = client(data).teams()
    show(teams, output, COLUMNS, [row(team) for team in teams])


@app.command("show")
def show_team(name: str, data: Data = None, output: Format = Output.TABLE) -> None:
    """Show a team, and its limits with what they are used."""
    team = client(data).team(name)
    show(team, output, COLUMNS, [row(team)])
    if output is Output.TABLE:
        for limit in team.limits:
            line(said(limit))
        for text in team_cluster.lines(team.cluster) if team.cluster is not None else ():
            line(text)


@with_settings("cluster", team_cluster.change)
def settings_asked(
    slots: SlotsOption = None,
    weight: WeightOption = None,
    title: TitleOption = None,
    limit: LimitOption = None,
    *,
    cluster: wire.ClusterChange | UnsetType,
) -> wire.TeamChange:
    """Return what the options say of the settings of a team. Raises UsageError."""
    return wire.TeamChange(
        title=given(title),
        slots=slots_of(slots),
        weight=weight_of(weight),
        limits=limits_of(limit),
        cluster=cluster,
    )


def fields(asked: wire.TeamChange) -> dict[str, Any]:
    return {name: getattr(asked, name) for name in asked.__struct_fields__}


@app.command("create")
@with_settings("asked", settings_asked)
def create(
    name: str,
    asked: wire.TeamChange,
    data: Data = None,
) -> None:
    """Create a team, and print the token of its agents. A second call changes nothing."""
    request = wire.TeamRequest(name=name, **fields(asked))
    team = client(data).create_team(request)
    if not team.created:
        say(f"team {name} already exists with these settings; nothing was changed")
        return
    say(f"team {name} created; you are an admin of it, and it has the pool default")
    say("the token of its agents, which is shown only now:")
    line(str(team.agent_token))
    say(f"to add people: headway user add NAME --team {name}")


@app.command("set")
@with_settings("asked", settings_asked)
def set_team(
    name: str,
    asked: wire.TeamChange,
    data: Data = None,
) -> None:
    """Change the settings of a team."""
    if all(value is UNSET for value in fields(asked).values()):
        hint = "give --slots, --weight, --title, --limit, or a setting in the cluster such as --cpu"
        raise UsageError("nothing to change", hint=hint)
    team = client(data).change_team(name, asked)
    say(f"team {name}: {settings(team)}")


@app.command("delete")
def delete(
    name: str,
    force: Annotated[
        bool, typer.Option("--force", help="Cancel runs that have not ended.")
    ] = False,
    yes: Yes = False,
    data: Data = None,
) -> None:
    """Delete a team. Its tokens end immediately; its runs, logs and settings are removed soon after."""
    connection = client(data)
    team = connection.team(name)
    if not yes:
        confirm(team)
    connection.delete_team(name, confirm=name, force=force)
    say(f"team {name} deleted; its data is removed within minutes")


app.command("apply")(team_apply.apply)


@app.command("who-may")
def who_may(
    name: str,
    user: Annotated[str, typer.Option("--user", help="Name that the way to sign in tells.")] = "",
    groups: Annotated[str, typer.Option("--groups", help="Groups, separated by commas.")] = "",
    directory: Annotated[
        str, typer.Option("--directory", help="[ldap.NAME] that is asked for the groups of --user.")
    ] = "",
    file: Annotated[
        Path | None,
        typer.Option(
            envvar="HEADWAY_SIGN_IN", help="Settings of sign-in, with the rules of the role map."
        ),
    ] = None,
    output: Format = Output.TABLE,
) -> None:
    """Show which rules of the role map give roles in a team. Or what they give somebody. Changes nothing."""
    from headway.core.role_map import is_about, roles, somebody
    from headway.identity.settings import load

    if file is None:
        raise UsageError(
            "there is no role map", hint="name its file: --file sign-in.toml, or HEADWAY_SIGN_IN"
        )
    settings = load(file)
    rules = settings.rules
    if user or groups:
        named = [each.strip() for each in groups.split(",") if each.strip()]
        if directory:
            user, more = looked_up(settings, str(file), directory, user)
            say(f"{user} is in {len(more)} groups: {', '.join(more) or 'none'}")
            named += more
        who = somebody(user, named)
        verdict = roles(rules, who, [name])[name]
        told = Ruled.of(name, verdict.rule, verdict.role)
        show(told, output, RULED, [told.row])
        return
    found = [Ruled.of(name, rule, rule.role) for rule in rules if is_about(rule, name)]
    show(found, output, RULED, [each.row for each in found])


def looked_up(
    settings: "SignInSettings", where: str, directory: str, user: str
) -> tuple[str, list[str]]:
    """Return the name and groups of somebody in a directory. Raises UsageError and NotReachable."""
    from headway.identity.directory import Directory
    from headway.identity.id_token import Refused
    from headway.identity.settings import require_libraries

    ldap = settings.ldaps.get(directory)
    if ldap is None:
        hint = did_you_mean(directory, settings.ldaps) or "docs/sign-in.md shows all settings"
        raise UsageError(f"there is no [ldap.{directory}]", where=where, hint=hint)
    require_libraries(settings, where)
    try:
        found = Directory(directory, ldap, settings.secrets.get(directory)).find(user)
    except Refused as error:
        raise UsageError(f"{user!r} cannot sign in: {error}", where=f"[ldap.{directory}]") from None
    return found.user, sorted(found.groups)


class Ruled(msgspec.Struct, frozen=True):
    """The result of a rule in a team. No role: it denies, or there is no rule."""

    team: str
    role: Role | None
    rule: str | None
    number: int | None
    line: int | None

    @staticmethod
    def of(team: str, rule: "Rule | None", role: Role | None) -> "Ruled":
        if rule is None:
            return Ruled(team, None, None, None, None)
        return Ruled(team, role, str(rule), rule.number, rule.line)

    @property
    def row(self) -> tuple[object, ...]:
        role = self.role or ("denied" if self.rule else "none")
        return (self.team, role, self.rule or "no rule matches", self.number, self.line)


def confirm(team: wire.Team) -> None:
    """Ask for the name, so that nobody deletes the wrong team. Raises UsageError."""
    if not sys.stdin.isatty():
        raise UsageError("deleting a team needs a confirmation", hint="add --yes")
    say(
        f"this deletes the team {team.name} with {team.dags} DAGs, their runs and logs, and removes "
        f"{team.members} members; it cannot be undone"
    )
    for each in team.cluster.found if team.cluster is not None else ():
        say(f"it also deletes its pods and what Headway made in the namespace {each.namespace}")
    if typer.prompt("Type the name of the team") != team.name:
        raise UsageError("the name does not match, so nothing was deleted")


def row(team: wire.Team) -> tuple[object, ...]:
    return (
        *(team.name, team.title, team.slots, f"{team.weight:g}"),
        *(team.used, team.waiting, team.dags, team.members, team.created_at),
    )


def settings(team: wire.Team) -> str:
    slots = "no nominal slots" if team.slots is None else f"{team.slots} nominal slots"
    title = "" if team.title is None else f", title {team.title!r}"
    limits = "".join(f", {said(each)}" for each in team.limits if each.limit is not None)
    cluster = team_cluster.settings(team.cluster) if team.cluster is not None else ""
    return f"{slots}, weight {team.weight:g}{title}{limits}{', ' + cluster if cluster else ''}"


def said(limit: wire.TeamLimit) -> str:
    """Return a limit, with what counts against it, in words."""
    most = "no limit" if limit.limit is None else f"at most {limit.limit:,}"
    used = "" if limit.used is None else f"{limit.used:,} now, "
    return f"{WORDS.get(limit.name, limit.name)} ({limit.name}): {used}{most}"


def given(title: str | None) -> str | UnsetType | None:
    """An empty title removes it."""
    return UNSET if title is None else title or None


def slots_of(text: str | None) -> int | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    if not text.isascii() or not text.isdigit():
        raise UsageError(
            f"{text!r} is not a number of slots",
            where="--slots",
            hint="give 0 or more, or reset it: --slots default",
        )
    return int(text)


def limits_of(given: list[str] | None) -> wire.LimitsChange | UnsetType:
    """Return the limits of NAME=N and NAME=default. Raises UsageError."""
    if not given:
        return UNSET
    found: dict[str, int | None] = {}
    for text in given:
        name, _, value = text.partition("=")
        if name not in WORDS:
            hint = did_you_mean(name, list(WORDS)) or f"one of: {', '.join(WORDS)}"
            raise UsageError(f"{name!r} is not a limit", where="--limit", hint=hint)
        if value != DEFAULT and not (value.isascii() and value.isdigit()):
            raise UsageError(
                f"{text!r} does not give a number",
                where="--limit",
                hint=f"for instance: --limit {name}=100, or remove it: --limit {name}=default",
            )
        found[name] = None if value == DEFAULT else int(value)
    return wire.LimitsChange(**found)


def weight_of(text: str | None) -> float | UnsetType | None:
    if text is None or text == DEFAULT:
        return UNSET if text is None else None
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not math.isfinite(weight):  # JSON has no such numbers
        raise UsageError(
            f"{text!r} is not a weight",
            where="--weight",
            hint="give a number above 0, such as 2, or reset it: --weight default",
        )
    return weight


def client(data: Data) -> "Client":
    from headway.client import client_of

    return client_of(config.layout(data))
