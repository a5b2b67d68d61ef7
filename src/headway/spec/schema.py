"""The JSON Schema of the spec, generated from its types.

python -m headway.spec.schema            writes docs/dag.schema.json
python -m headway.spec.schema --check    fails if that file is not up to date
"""

import sys
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.core import schedules
from headway.spec.model import Dag

PATH: Final = Path("docs/dag.schema.json")


def schema() -> dict[str, Any]:
    """Return it. A schedule is of a kind that ``headway.core.schedules`` knows, not one of the types here."""
    types = msgspec.json.schema(Dag)
    types["$defs"]["Schedule"] = schedules.schema()
    types["$defs"]["Dag"]["properties"]["schedule"] = {
        "anyOf": [{"$ref": "#/$defs/Schedule"}, {"type": "null"}],
        "default": None,
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "The spec of a Headway DAG",
        **types,
    }


def text() -> str:
    encoded = msgspec.json.encode(schema(), order="deterministic")
    return msgspec.json.format(encoded, indent=2).decode() + "\n"


def main(arguments: list[str]) -> int:
    if arguments == ["--check"]:
        current = PATH.is_file() and PATH.read_text() == text()
        if not current:
            sys.stderr.write(f"{PATH} is not up to date: run python -m headway.spec.schema\n")
        return 0 if current else 1
    if arguments:
        sys.stderr.write("usage: python -m headway.spec.schema [--check]\n")
        return 2
    PATH.write_text(text())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
