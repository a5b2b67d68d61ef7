"""``-p name=value``: parse values by the types that the DAG declares."""

from typing import Annotated, Any

import msgspec
import typer

from headway.client import Client
from headway.errors import NotAllowed, UsageError

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
    """Parse values by the types in the DAG's current version. Raises UsageError.

    A guest of another team does not see which types there are: what reads as JSON is JSON.
    """
    if not texts:
        return {}
    from headway.spec.params import params_from_text

    try:
        spec = client.dag(dag_id).spec
    except NotAllowed:
        return {name: guessed(text) for name, text in texts.items()}
    return params_from_text(spec, texts)


def guessed(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
