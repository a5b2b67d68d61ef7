"""Types of other operators' objects, as far as the install has them: ``python -m tests.kubernetes.crds FOLDER…``.

The folders have the CustomResourceDefinitions of the operators' repositories. ``crds.json`` keeps of each type what the
objects of an install use, so that a field that no operator knows is noticed without them.
"""

import json
import sys
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from headway.executors.kubernetes.install import Install, objects_of

FILE: Final = Path(__file__).with_name("crds.json")
KEPT: Final = ("type", "enum", "pattern", "minimum", "maximum")
FULL: Final = Install(
    image="headway:1",
    database_instances=3,
    listen_address="headway-db-rw:5432",
    storage_class="fast",
    wal_store="s3://wal/headway",
    wal_endpoint="https://s3.example.org",
)


def main(folders: list[str]) -> int:
    files = sorted(file for folder in folders for file in Path(folder).glob("*.yaml"))
    types = dict(each for file in files for each in schemas(yaml.safe_load(file.read_text())))
    found = {}
    for each in objects_of(FULL):
        key = f"{each['apiVersion']} {each['kind']}"
        if key in types:
            wanted = {name: part for name, part in each.items() if name == "spec"}
            found[key] = used(types[key], wanted, key)
    FILE.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")
    return 0


def schemas(definition: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    spec = definition["spec"]
    return [
        (
            f"{spec['group']}/{version['name']} {spec['names']['kind']}",
            version["schema"]["openAPIV3Schema"],
        )
        for version in spec["versions"]
    ]


def used(schema: dict[str, Any], given: Any, where: str) -> dict[str, Any]:
    """Return the part of a schema that says something of what is given. Raises KeyError for an unknown field."""
    kept: dict[str, Any] = {k: schema[k] for k in KEPT if k in schema}
    if schema.get("x-kubernetes-int-or-string"):
        return {"type": ["integer", "string"]}
    if isinstance(given, dict) and "properties" in schema:
        parts = {
            name: used(schema["properties"][name], part, f"{where}.{name}")
            for name, part in given.items()
        }
        required = [name for name in schema.get("required", ()) if name != "metadata"]
        return {**kept, "properties": parts, "required": required, "additionalProperties": False}
    if isinstance(given, dict):
        return {**kept, "additionalProperties": schema.get("additionalProperties", True)}
    if isinstance(given, list) and given:
        return {**kept, "items": used(schema["items"], given[0], f"{where}[]")}
    return kept


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
