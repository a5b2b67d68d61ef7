"""The events of assets that a task instance leaves behind when it succeeds. Pure, like ``plan``.

There is an event for each outlet of the task, once for each attempt that succeeds: not for what a person marks. An
outlet that is an alias has none itself, but there is one for each asset that the task adds through it.
"""

from collections.abc import Iterator, Sequence

from headway.core.aliases import alias_of, key
from headway.core.reports import Told
from headway.core.run import Emitted, Instance, Run


def emit(run: Run, instance: Instance, told: Sequence[Told]) -> None:
    """Note the events of a success: of each asset one, or one for each partition that the task names.

    Ignore what is told of other assets. What has no partition of its own is of that of the run.
    """
    outlets = instance.node.outlets
    found: dict[tuple[str, str | None], Emitted] = {}
    for one in (*of_outlets(outlets, told), *(each for each in told if key(each.alias) in outlets)):
        at = one.asset, one.partition or run.partition
        before = found.get(at)
        aliases = () if before is None else before.aliases
        if one.alias and one.alias not in aliases:
            aliases = (*aliases, one.alias)
        extra = one.extra if before is None or one.extra != "{}" else before.extra
        definition = one.definition or (None if before is None else before.definition)
        found[at] = Emitted(instance, instance.attempts, at[0], extra, at[1], aliases, definition)
    run.changes.emitted.extend(found.values())


def of_outlets(outlets: Sequence[str], told: Sequence[Told]) -> Iterator[Told]:
    """Yield the events of the outlets that are assets."""
    for asset in outlets:
        if alias_of(asset) is None:
            ours = [one for one in told if one.asset == asset and not one.alias]
            yield from ours or (Told(asset),)
