"""An install as somebody asks for it: by options, and by a file with the values of the Helm chart."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from headway.errors import UsageError
from headway.executors.kubernetes.install import Install
from headway.executors.kubernetes.values import camel, trouble

HINT: Final = "see docs/kubernetes.md"


def install_of(namespace: str, asked: Mapping[str, Any], file: Path | None) -> Install:
    """Return the install. ``asked``: settings that come before those of the file.

    Raises UsageError with the setting that no cluster takes, and why.
    """
    found = {} if file is None else values_of(file)
    found |= {camel(name): value for name, value in asked.items()}
    if not found.get("image"):
        raise UsageError("an image is needed", where="--image", hint=HINT)
    try:
        install = msgspec.convert({**found, "namespace": namespace}, Install)
        found_wrong = trouble(install)
    except msgspec.ValidationError as error:
        raise UsageError(str(error), where=str(file), hint=HINT) from error
    except RecursionError:  # an alias of YAML inside of what it stands for
        raise UsageError("the values are nested too deeply", where=str(file), hint=HINT) from None
    if found_wrong is not None:
        name, _, why = found_wrong.partition(": ")
        setting = {"team": "teams"}.get(name, name.replace("-", "_"))
        field = camel(setting)
        if field in found and setting not in asked:
            raise UsageError(f"{field}: {why}", where=str(file), hint=HINT)
        raise UsageError(f"--{found_wrong}", hint=HINT)
    return install


def values_of(file: Path) -> dict[str, Any]:
    """Return the values of a file. An empty text is none, as for the chart."""
    try:
        found = msgspec.yaml.decode(file.read_bytes()) or {}
    except OSError as error:
        raise UsageError(f"cannot read the values: {error.strerror}", where=str(file)) from error
    except msgspec.DecodeError as error:
        raise UsageError(f"the values are not valid YAML: {error}", where=str(file)) from error
    if not isinstance(found, dict) or "namespace" in found:
        raise UsageError(
            "the values must be a dict of settings, without a namespace",
            where=str(file),
            hint="the namespace is an option: --namespace",
        )
    optional = {
        each.encode_name for each in msgspec.structs.fields(Install) if each.default is None
    }
    kept = {
        name: None if value == "" and name in optional else value for name, value in found.items()
    }
    return {name: value for name, value in kept.items() if name != "global"}
