"""Names by which a file of the DAG folder cannot be imported.

The folder comes last on ``sys.path``: what Python and installed packages bring keeps its name, so that a file called
``email.py`` breaks neither another file nor a library. Who tries to import it by that name is told.
"""

import importlib.util
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType


def owner_of(name: str, folder: Path) -> str | None:
    """Return the other owner of the module ``name``, or None if it is the DAG folder's or unknown."""
    if name == "__main__":
        return "the running program's"
    if name in sys.stdlib_module_names:
        return "the standard library's"
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a module without a specification, such as __main__
        return None
    if spec is None or spec.origin is None or Path(spec.origin).is_relative_to(folder):
        return None
    return "an installed package's"


def name_hint(error: BaseException, folders: Iterable[Path]) -> str | None:
    """Why something is missing in a module, when the folder has another one of that name."""
    name = module_of(error).partition(".")[0]
    for folder in folders if name else ():
        file = next((f for f in (folder / f"{name}.py", folder / name) if f.exists()), None)
        if file is not None and (owner := owner_of(name, folder)):
            return f"`import {name}` finds {owner} {name}, not {file.name} in the DAG folder; rename that file"
    return None


def module_of(error: BaseException) -> str:
    if isinstance(error, ImportError):
        return error.name or ""
    if isinstance(error, AttributeError) and isinstance(error.obj, ModuleType):
        return error.obj.__name__
    return ""
