"""Writes a DAG file and reads it, as the loader would."""

from pathlib import Path
from textwrap import dedent

from headway.authoring.dag import DAG
from headway.authoring.loading import load_file
from headway.spec.errors import BadSpec
from headway.spec.model import Dag

HEAD = "from datetime import datetime, timedelta\nfrom headway import *\n"


def load(folder: Path, text: str, name: str = "flow.py") -> list[DAG]:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text).lstrip("\n"))
    return load_file(path, folder)


def spec_of(folder: Path, text: str) -> Dag:
    (dag,) = load(folder, text)
    return dag.spec("flow.py")


def mistake(folder: Path, text: str) -> str:
    """What the author of the file is told, also when the mistake only shows in the spec."""
    try:
        for dag in load(folder, text):
            dag.spec("flow.py")
    except BadSpec as error:
        return str(error)
    raise AssertionError("the file was taken")
