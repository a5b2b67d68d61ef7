"""Merge patch (RFC 7386) and server-side apply, with field managers and their conflicts."""

import copy
from typing import Any

from tests.kubernetes.fake.status import Refused

KEYED = ("imagePullSecrets",)

Object = dict[str, Any]
Fields = dict[str, Any]  # a tree of names; an empty one is a leaf


def merged(known: Any, patch: Any) -> Any:
    if not isinstance(patch, dict):
        return patch
    found = dict(known) if isinstance(known, dict) else {}
    for name, value in patch.items():
        if value is None:
            found.pop(name, None)
        else:
            found[name] = merged(found.get(name), value)
    return found


def applied(known: Object | None, wanted: Object, manager: str, *, force: bool) -> Object:
    """Return the object with what ``manager`` wants, without what it wanted before and no longer does.

    Lists are one value each, but those whose items have a name (``KEYED``). Raises Refused (409) where another
    manager has another value.
    """
    known, wanted = by_name(known), by_name(wanted)
    mine = owned(wanted)
    made = copy.deepcopy(known) if known is not None else {"metadata": {}}
    managers = {m["manager"]: m for m in made["metadata"].get("managedFields", [])}
    before = managers.get(manager, {}).get("fieldsV1", {})
    for path in paths(mine):
        for other, entry in managers.items():
            if other == manager or path not in paths(entry.get("fieldsV1", {})):
                continue
            if at(made, path) != at(wanted, path):
                if not force:
                    where = ".".join(path)
                    raise Refused(
                        409,
                        "Conflict",
                        f'Apply failed with 1 conflict: conflict with "{other}": .{where}',
                    )
                remove(entry["fieldsV1"], path)
    for path in paths(before) - paths(mine):
        if not any(
            path in paths(m.get("fieldsV1", {})) for n, m in managers.items() if n != manager
        ):
            remove(made, path)
    for path in paths(mine):
        put(made, path, at(wanted, path))
    managers[manager] = {
        "manager": manager,
        "operation": "Apply",
        "fieldsType": "FieldsV1",
        "fieldsV1": mine,
    }
    made["metadata"]["managedFields"] = [m for m in managers.values() if m["fieldsV1"]]
    return as_lists(made)


def by_name(given: Any) -> Any:
    """Turn the lists of ``KEYED`` into objects by name, so that each item has its own owner."""
    if not isinstance(given, dict):
        return given
    keyed = {name: {each["name"]: each for each in given[name]} for name in KEYED if name in given}
    return given | keyed


def as_lists(made: Object) -> Object:
    return made | {name: list(made[name].values()) for name in KEYED if name in made}


def owned(wanted: Object) -> Fields:
    """Return the fields that an applied object names, without those that say which object it is."""
    tree = fields(wanted)
    tree.pop("apiVersion", None), tree.pop("kind", None)
    for name in ("name", "namespace", "managedFields", "resourceVersion", "uid"):
        tree.get("metadata", {}).pop(name, None)
    if not tree.get("metadata"):
        tree.pop("metadata", None)
    return tree


def fields(value: Any) -> Fields:
    return {name: fields(inner) for name, inner in value.items()} if isinstance(value, dict) else {}


def paths(tree: Fields, before: tuple[str, ...] = ()) -> set[tuple[str, ...]]:
    found = set()
    for name, inner in tree.items():
        found |= paths(inner, (*before, name)) if inner else {(*before, name)}
    return found


def at(value: Any, path: tuple[str, ...]) -> Any:
    for name in path:
        if not isinstance(value, dict) or name not in value:
            return None
        value = value[name]
    return value


def put(made: Object, path: tuple[str, ...], value: Any) -> None:
    for name in path[:-1]:
        made = made.setdefault(name, {})
    made[path[-1]] = copy.deepcopy(value)


def remove(made: Any, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        made = made.get(name, {})
    made.pop(path[-1], None)
