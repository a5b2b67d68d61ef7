"""Assets of Airflow as ours: by their names, with what schedules and tasks say of them.

An alias or a reference names an asset that is defined elsewhere, or comes to be while a task runs. Those are left out.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from headway.core.schedules.on_assets import ALL, ANY, Condition
from headway.spec import model
from headway.spec.carried import shown

GROUP = "asset"  # of an asset that has none


def is_asset(found: Any) -> bool:
    return hasattr(found, "uri") and hasattr(found, "extra")


def condition(found: Any) -> Condition | None:
    """Return the condition on which a DAG runs; None: it names an alias, or an asset by reference."""
    if is_asset(found):
        return str(found.name)
    word = {"AssetAll": ALL, "AssetAny": ANY}.get(type(found).__name__) or (
        ALL if hasattr(found, "objects") else None
    )
    parts = [condition(part) for part in getattr(found, "objects", ())]
    known = [part for part in parts if part is not None]
    if word is None or not known or len(known) < len(parts):
        return None
    return known[0] if len(known) == 1 else {word: known}


def inside(found: Any) -> Iterator[Any]:
    """Yield the assets that a condition, a list of outlets or an asset itself has."""
    if is_asset(found):
        yield found
    elif hasattr(found, "objects") or isinstance(found, list | tuple):
        for part in getattr(found, "objects", found):
            yield from inside(part)


def of_dag(dag: Any) -> dict[str, Any]:
    """Return the assets of Airflow that a DAG defines, by name."""
    given = [getattr(dag.timetable, "asset_condition", None)]
    for task in dag.tasks:
        given += [*task.outlets, *task.inlets]
    return {asset.name: asset for each in given for asset in inside(each)}


def specs(dag: Any) -> tuple[model.Asset, ...]:
    return tuple(
        model.Asset(
            name=name,
            uri=shown(str(asset.uri)),
            group="" if asset.group == GROUP else shown(str(asset.group)),
            extra=dict(asset.extra or {}),
        )
        for name, asset in sorted(of_dag(dag).items())
    )


def names(given: Iterable[Any]) -> tuple[str, ...]:
    """Return the names of the assets among the outlets or inlets of a task."""
    return tuple(dict.fromkeys(asset.name for each in given for asset in inside(each)))


def aliases(given: Iterable[Any]) -> list[str]:
    """Return the names of the aliases among outlets or inlets."""
    return [str(each.name) for each in given if type(each).__name__ == "AssetAlias"]


def references(given: Iterable[Any]) -> list[str]:
    """Return what the references to assets name that are defined elsewhere."""
    kinds = ("AssetNameRef", "AssetUriRef")
    found = [each for each in given if type(each).__name__ in kinds]
    return [str(getattr(each, "name", None) or each.uri) for each in found]
