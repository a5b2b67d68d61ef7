"""``-p name=value``: parse values by the types that the DAG declares."""

from typing import Annotated, Any

import typer

from headway.client import Client
from headway.errors import UsageError

Params = Annotated[
    list[str] | None,
    typer.Option(
        "-p", "--param", metavar="NAME=VALUE", help="Parameter of the DAG. Can be repeated."
    ),
]


def texts_of(given: list[str] | None) -> dict[str, str]:
    texts: dict[str, str] = {}
    for text in given or []:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"{text!r} is not a valid parameter", hint="write it as -p name=value")
        texts[name] = value
    return texts


def values_of(client: Client, dag_id: str, texts: dict[str, str]) -> dict[str, Any]:
    """Parse values by the types in the DAG's current version. Raises UsageError."""
    if not texts:
        return {}
    from headway.spec.params import params_from_text

    return params_from_text(client.dag(dag_id).spec, texts)
