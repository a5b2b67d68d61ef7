"""Assets of Airflow as ours: by their names, with what schedules and tasks say of them.

An alias is one of ours. A reference names an asset that is defined elsewhere: by its name, or by its URI, which is the
name of an asset that has no other.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from headway.core.aliases import key
from headway.core.schedules.on_assets import ALL, ANY, Condition
from headway.frontends.airflow.triggering import PREFIX
from headway.spec import model
from headway.spec.carried import shown

GROUP = "asset"  # of an asset or alias that has none
ALIAS: Final = "AssetAlias"
REFERENCES: Final = ("AssetNameRef", "AssetUriRef")


def is_asset(found: Any) -> bool:
    return hasattr(found, "uri") and hasattr(found, "extra")


def is_alias(found: Any) -> bool:
    return type(found).__name__.endswith(ALIAS)


def is_reference(found: Any) -> bool:
    return type(found).__name__.endswith(REFERENCES)


def condition(found: Any, uris: Mapping[str, str]) -> Condition | None:
    """Return the condition on which a DAG runs; None: it is none. ``uris``: names of assets by URI."""
    if is_asset(found) or is_alias(found) or is_reference(found):
        return name_of(found, uris)
    word = {"AssetAll": ALL, "AssetAny": ANY}.get(type(found).__name__) or (
        ALL if hasattr(found, "objects") else None
    )
    parts = [condition(part, uris) for part in getattr(found, "objects", ())]
    known = [part for part in parts if part is not None]
    if word is None or not known or len(known) < len(parts):
        return None
    return known[0] if len(known) == 1 else {word: known}


def name_of(found: Any, uris: Mapping[str, str]) -> str:
    """Return the name of an asset, of an alias as a spec has it, or of what a reference refers to."""
    if is_alias(found):
        return key(str(found.name))
    if hasattr(found, "name"):
        return str(found.name)
    return uris.get(str(found.uri), str(found.uri))


def inside(found: Any) -> Iterator[Any]:
    """Yield the assets, aliases and references that a condition, a list of outlets or one of them has."""
    if is_asset(found) or is_alias(found) or is_reference(found):
        yield found
    elif hasattr(found, "objects") or isinstance(found, list | tuple):
        for part in getattr(found, "objects", found):
            yield from inside(part)


def named_in(dag: Any) -> list[Any]:
    given = [getattr(dag.timetable, "asset_condition", None)]
    for task in dag.tasks:
        given += [*task.outlets, *task.inlets]
    return [found for each in given for found in inside(each)]


def of_dag(dag: Any) -> dict[str, Any]:
    """Return the assets of Airflow that a DAG defines, by name."""
    return {found.name: found for found in named_in(dag) if is_asset(found)}


def uris_of(dag: Any) -> dict[str, str]:
    """Return the names of the assets that a DAG defines, by their URIs."""
    return {str(asset.uri): str(asset.name) for asset in of_dag(dag).values()}


def specs(dag: Any) -> tuple[model.Asset, ...]:
    known, uris = of_dag(dag), uris_of(dag)
    found = {name: spec(asset) for name, asset in known.items()}
    for each in named_in(dag):
        name = name_of(each, uris)
        if is_alias(each):
            found[name] = model.Asset(name=name, group=group_of(each))
        elif is_reference(each) and name not in known:
            found[name] = model.Asset(name=name, uri=name, reference=True)
    return tuple(found[name] for name in sorted(found))


def spec(asset: Any) -> model.Asset:
    return model.Asset(
        name=str(asset.name),
        uri=shown(str(asset.uri)),
        group=group_of(asset),
        extra=dict(asset.extra or {}),
        watchers=tuple(map(watcher, getattr(asset, "watchers", None) or ())),
    )


def watcher(found: Any) -> model.Watcher:
    """Return a watcher of Airflow as one of ours."""
    from airflow.sdk.serde import serialize

    name, kwargs = found.trigger.serialize()
    told = name.rpartition(".")[2]
    given: Any = serialize(dict(kwargs))
    return model.Watcher(
        name=shown(str(found.name)),
        trigger=PREFIX + name,
        what=f"trigger {told}",
        kwargs=given,
    )


def group_of(found: Any) -> str:
    return "" if found.group in ("", GROUP, None) else shown(str(found.group))


def names(given: Iterable[Any], uris: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of what is among the outlets or inlets of a task, as a spec has them."""
    return tuple(dict.fromkeys(name_of(found, uris) for each in given for found in inside(each)))


def unknown_uris(dag: Any) -> list[str]:
    """Return the URIs by which the DAG refers to assets that it does not define itself."""
    uris = uris_of(dag)
    found = [str(each.uri) for each in named_in(dag) if is_reference(each) and hasattr(each, "uri")]
    return [uri for uri in dict.fromkeys(found) if uri not in uris]
