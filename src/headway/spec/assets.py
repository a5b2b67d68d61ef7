"""Checks of the assets that a DAG names."""

from typing import Any, Final

import msgspec

from headway.core import foreign, schedules
from headway.core.aliases import alias_of
from headway.spec.carried import flaw_of_text, flaws, place
from headway.spec.errors import BadSpec
from headway.spec.model import Asset, Dag, Watcher
from headway.spec.params import size_of

NAME_BYTES_MAX: Final = 250
EXTRA_BYTES_MAX: Final = 16 * 1024  # of an asset, and of an event
EVENTS_MAX: Final = 1_000  # that one attempt may tell of
OUTLETS_MAX: Final = 100  # of one task: each of its attempts writes so many rows
WATCHERS_MAX: Final = 20  # of one asset
WATCHER_BYTES_MAX: Final = 16 * 1024  # of its arguments as JSON
EVERY_S: Final = (0.1, 86_400.0 * 31)  # that may pass between two looks of a watcher
SHOWN: Final = 60
NAMED: Final = "name=…"
RENAME: Final = f"give it another name: {NAMED}"


class Added(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The words of a task about an asset that it adds through an alias."""

    uri: str = ""
    group: str = ""
    extra: dict[str, Any] = {}


def flaw_of_name(name: str) -> str | None:
    """Return what is wrong with the name of an asset, of this team or of another one."""
    other = foreign.foreign(name)
    return foreign.flaw(name) or flaw_of_words(name if other is None else other.name)


def flaw_of_named(name: str) -> str | None:
    """Return what is wrong with what a spec names: an asset or an alias."""
    alias = alias_of(name)
    return flaw_of_name(name) if alias is None else flaw_of_words(alias)


def flaw_of_added(alias: str, asset: str, definition: bytes | None) -> str | None:
    """Return what is wrong with an asset that a task adds through an alias, and says this JSON of."""
    if (flaw := flaw_of_words(alias)) is not None:
        return f"the name of an alias {flaw}"
    if (other := foreign.foreign(asset)) is not None:
        return f"{other} is an asset of another team, which only tasks of that team update"
    if definition is None:
        return None
    if (flaw := flaw_of_extra(definition)) is not None:
        return f"the definition of an asset {flaw}"
    try:
        msgspec.json.decode(definition, type=Added)
    except msgspec.MsgspecError:
        return "the definition of an asset has other parts than uri, group and extra"
    return None


def flaw_of_words(name: str) -> str | None:
    """Return what is wrong with a name that people give: of a partition, or a key of an event."""
    size = len(name.encode("utf-8", "surrogatepass"))
    if size > NAME_BYTES_MAX:
        return f"is {size} bytes long; the limit is {NAME_BYTES_MAX}"
    if not name or name != name.strip():
        return "is empty, or begins or ends with a space"
    if any(ord(char) < 32 for char in name):
        return "contains a control character"
    if (flaw := flaw_of_text(name)) is not None:
        return flaw
    hidden = next((char for char in name if not char.isprintable()), None)
    return None if hidden is None else f"contains an invisible character ({hidden!a})"


def flaw_of_partition(partition: str) -> str | None:
    """Return what is wrong with the name of a partition."""
    return flaw_of_words(partition)


def flaw_of_extra(body: bytes) -> str | None:
    """Return what is wrong with the extra of an event, as JSON."""
    if len(body) > EXTRA_BYTES_MAX:
        return f"has {len(body):,} bytes; the limit is {EXTRA_BYTES_MAX:,}"
    try:
        extra = msgspec.json.decode(body, type=dict[str, Any])
    except (msgspec.MsgspecError, RecursionError, ValueError):
        return "is not a JSON object"
    return next((f"{place(path)} {why}" for path, why in flaws(extra)), None)


def check_assets(dag: Dag) -> None:
    """Raise BadSpec unless each asset that the DAG names is defined in it, once and well."""
    names = [asset.name for asset in dag.assets]
    for asset in dag.assets:
        check_asset(dag, asset)
    if len(set(names)) < len(names):
        raise wrong(dag, "it defines an asset twice", dag.line)
    check_named(dag, schedules.of_data(dag.schedule, dag.start_date).assets, set(names), dag.line)
    for task in dag.tasks:
        if len(task.outlets) > OUTLETS_MAX:
            raise wrong(
                dag,
                f"{task.task_id} has {len(task.outlets):,} outlets; the limit is {OUTLETS_MAX}",
                task.line,
            )
        if theirs := next(filter(None, map(foreign.foreign, task.outlets)), None):
            raise wrong(
                dag,
                f"{task.task_id} has the outlet {theirs}, which only tasks of that team update",
                task.line,
                f"if it is your own team, write {theirs.name}",
            )
        if len(set(task.outlets)) < len(task.outlets):
            raise wrong(dag, f"{task.task_id} has an outlet twice", task.line)
        check_named(dag, {*task.outlets, *task.inlets}, set(names), task.line)


def check_named(dag: Dag, named: set[str] | frozenset[str], known: set[str], line: int) -> None:
    for name in sorted(named - known):
        raise wrong(dag, f"it names the asset {name[:SHOWN]!a}, which it does not define", line)


def check_asset(dag: Dag, asset: Asset) -> None:
    alias = alias_of(asset.name)
    told = f"the asset {asset.name[:SHOWN]!a}" if alias is None else f"the alias {alias[:SHOWN]!a}"
    if (flaw := flaw_of_named(asset.name)) is not None:
        raise wrong(dag, f"the name of {told} {flaw}", dag.line)
    for path, why in flaws([asset.uri, asset.group, asset.extra]):
        raise wrong(dag, f"a part of {told}{place(path[1:])} {why}", dag.line)
    if (
        size := size_of({"uri": asset.uri, "group": asset.group, "extra": asset.extra})
    ) > EXTRA_BYTES_MAX:
        raise wrong(
            dag,
            f"{told} takes {size:,} bytes as JSON; the limit is {EXTRA_BYTES_MAX:,}",
            dag.line,
        )
    check_watchers(dag, asset, told)


def check_watchers(dag: Dag, asset: Asset, told: str) -> None:
    if not asset.watchers:
        return
    if alias_of(asset.name) is not None:
        raise wrong(dag, f"{told} has watchers; only assets can have them", dag.line)
    if (other := foreign.foreign(asset.name)) is not None:
        raise wrong(
            dag,
            f"{told} has watchers, which only the team {other.team} can give it",
            dag.line,
            "leave the watchers out; events of the asset reach this team, too",
        )
    if len(asset.watchers) > WATCHERS_MAX:
        raise wrong(
            dag,
            f"{told} has {len(asset.watchers)} watchers; the limit is {WATCHERS_MAX}",
            dag.line,
        )
    names = [watcher.name for watcher in asset.watchers]
    for watcher in asset.watchers:
        if (flaw := flaw_of_watcher(watcher)) is not None:
            name = f"{watcher.name[:SHOWN]!a}"
            hint = RENAME if flaw_of_words(watcher.name) is not None else None
            raise wrong(dag, f"the watcher {name} of {told} {flaw}", dag.line, hint)
        if names.count(watcher.name) > 1:
            why = f"{told} has two watchers with the name {watcher.name[:SHOWN]!a}"
            raise wrong(dag, why, dag.line, f"give one of them another name: {NAMED}")


def flaw_of_watcher(watcher: Watcher) -> str | None:
    """Return what is wrong with a watcher, as the rest of a sentence."""
    if (flaw := flaw_of_words(watcher.name)) is not None:
        return f"has a name that {flaw}"
    for path, why in flaws([watcher.trigger, watcher.what, watcher.queue, watcher.kwargs]):
        return f"has a part{place(path[1:])} that {why}"
    if (size := size_of(watcher.kwargs)) > WATCHER_BYTES_MAX:
        return f"has arguments of {size:,} bytes as JSON; the limit is {WATCHER_BYTES_MAX:,}"
    if not watcher.trigger:
        return "names no code"
    if watcher.every_s is not None and not EVERY_S[0] <= watcher.every_s <= EVERY_S[1]:
        return "must look at most 10 times a second and at least once a month"
    if flaw_of_words(watcher.queue) is not None or " " in watcher.queue:
        return f"names the queue {watcher.queue[:SHOWN]!a}, which is not a valid name"
    return None


def wrong(dag: Dag, message: str, line: int, hint: str | None = None) -> BadSpec:
    return BadSpec(f"{dag.dag_id}: {message}", file=dag.file, line=line, hint=hint)
