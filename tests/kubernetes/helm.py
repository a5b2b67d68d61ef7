"""Rendering of the chart: by Helm itself where it is installed, and always by the few words that the chart uses."""

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import yaml  # type: ignore[import-untyped]

from tests.tidy.tree import ROOT

CHART: Final = ROOT / "deploy" / "helm" / "headway"
PROGRAM: Final = shutil.which("helm")
LIBRARY: Final = "helm_python"
IS_HERE: Final = PROGRAM is not None or find_spec(LIBRARY) is not None
MISSING: Final = "there is no Helm (pip install helm-python-sdk, or the program)"
REFERENCE: Final = re.compile(
    r"\{\{ (?:(?:int )?(\$[\w.]+)|add1 \(int (\$[\w.]+)\)|toJson (\$[\w.]+)"
    r"|regexReplaceAll \"([^\"]+)\" (\$\w+) \"\"|regexFind \"([^\"]+)\" (\$\w+)) \}\}"
)
WORD: Final = re.compile(
    r"\{\{- (?:(if(?: not)?) (\$[\w.]+)|range (\$\w+) := (\$[\w.]+)|(end)) \}\}"
)


def values(folder: Path = CHART, **given: Any) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "values.yaml").read_text())
    return {**found, **given}


def render(given: Mapping[str, Any], namespace: str, folder: Path = CHART) -> list[dict[str, Any]]:
    """Render the template of a chart."""
    names = {f"$.Values.{name}": value for name, value in given.items()}
    names["$.Release.Namespace"] = namespace
    (file,) = (folder / "templates").iterdir()
    lines = file.read_text().splitlines()
    text = "\n".join(block(iter(lines), names))
    return parsed(text)


def block(lines: Any, names: Mapping[str, Any]) -> list[str]:
    """Render lines up to the end of this block."""
    found = []
    for line in lines:
        word = WORD.fullmatch(line)
        if word is None:
            found.append(line)
        elif word[5]:
            break
        else:
            inner = ["\0".join((line, *raw(lines)))]
            found += inner
    return [each for line in found for each in expanded(line, names)]


def raw(lines: Any) -> list[str]:
    """Take the lines of an inner block, its end included."""
    taken, depth = [], 1
    for line in lines:
        taken.append(line)
        word = WORD.fullmatch(line)
        if word is not None:
            depth += -1 if word[5] else 1
        if depth == 0:
            return taken
    raise AssertionError("a block has no end")


def expanded(line: str, names: Mapping[str, Any]) -> list[str]:
    head, *inner = line.split("\0")
    word = WORD.fullmatch(head)
    if word is None:
        return [REFERENCE.sub(lambda found: referred(found, names), head)]
    if word[1]:
        is_there = bool(names[word[2]]) == (word[1] == "if")
        return block(iter(inner), names) if is_there else []
    return [
        line for each in names[word[4]] for line in block(iter(inner), {**names, word[3]: each})
    ]


def referred(found: re.Match[str], names: Mapping[str, Any]) -> str:
    name, counted, whole, left_out, text, wanted, other = found.groups()
    if counted:
        return str(names[counted] + 1)
    if whole:
        return json.dumps(names[whole], separators=(",", ":"), sort_keys=True)
    if left_out:
        return re.sub(left_out, "", names[text])
    if wanted:
        (part,) = re.findall(wanted, names[other])
        return str(part)
    return str(names[name])


def by_helm(given: Mapping[str, Any], namespace: str, folder: Path = CHART) -> list[dict[str, Any]]:
    """Render the chart with Helm: the program, or its library from the package helm-python-sdk."""
    if PROGRAM is None:
        library: Any = import_module(LIBRARY)
        with library.Chart.load(str(folder)) as chart:
            made = chart.render(dict(given), name="headway", namespace=namespace)
        return parsed("\n---\n".join(made.values()))
    command = [
        PROGRAM,
        "template",
        "headway",
        str(folder),
        "--namespace",
        namespace,
        "--values",
        "-",
    ]
    done = subprocess.run(
        command, input=yaml.safe_dump(dict(given)), capture_output=True, text=True, check=True
    )
    return parsed(done.stdout)


def parsed(text: str) -> list[dict[str, Any]]:
    return [each for each in yaml.safe_load_all(text) if each is not None]
