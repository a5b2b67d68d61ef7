"""Finds state that a DAG file leaves behind at import and that all its attempts would share unknowingly.

The file is imported once for many attempts, each a fork: a moment, a random number or an iterator at its top is the
same one in each, a connection is one for all, a held lock stays so, and threads do not exist. Looked at are
the names and default arguments of the file and of the folder's modules that it imported, not deeper than one list.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from types import FunctionType, ModuleType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from headway import clock
from headway.authoring.decorators import TaskFunction
from headway.authoring.names import owner_of
from headway.frontends.base import WARNINGS_MAX

if TYPE_CHECKING:
    import ast

ITEMS_MAX: Final = 100
FIRST_FD: Final = 4  # standard streams and the report
SHARED: Final = (
    "all attempts of all runs share it, because the file is imported once for many attempts"
)
NOW: Final = "the time of import"
CHANCE: Final = "a random number generator"
UNIQUE: Final = "an id generated at import"
ITERATOR: Final = "an iterator, which can be read only once"
CONSTANT: Final = {NOW, CHANCE, UNIQUE}  # harmless where they are written out: date(2013, 1, 1)
MOMENTS: Final = {
    *("datetime.datetime", "datetime.date", "builtins.float", "builtins.str"),
    *("pandas._libs.tslibs.timestamps.Timestamp", "pendulum.datetime.DateTime"),
}
LOCKS: Final = {"_thread.lock", "_thread.RLock", "threading._RLock"}
TEMPORARY: Final = {"tempfile.TemporaryDirectory", "tempfile._TemporaryFileWrapper"}
RENAME: Final = "rename it if other files, or processes that a task spawns, need to import it"
IN_TASK: Final = "create it inside the task"
THREADS: Final = (
    "threads are running after import, so each attempt starts a new Python process, which takes "
    "about a second longer"
)


class Warned(NamedTuple):
    message: str
    line: int | None = None
    hint: str | None = None


@dataclass(slots=True)
class Before:
    """A snapshot from before the import of the file."""

    root: Path
    file: str
    owner: str | None
    at: datetime = field(default_factory=clock.now)


def before(root: Path, file: str) -> Before:
    return Before(root, file, owner_of(Path(file).stem, root))


def warnings_of(since: Before) -> list[Warned]:
    """Return the first warnings about the file that was just imported, by line."""
    found = [*named_like_another(since), *threads(), *descriptors()]
    for module in modules_of(since.root):
        found += values(module, since)
    return sorted(dict.fromkeys(found), key=lambda warning: warning.line or 0)[:WARNINGS_MAX]


def named_like_another(since: Before) -> Iterator[Warned]:
    if since.owner is not None:
        name = Path(since.file).stem
        said = f"cannot be imported by its name: `import {name}` finds {since.owner} {name}"
        yield Warned(said, None, RENAME)


def threads() -> Iterator[Warned]:
    if are_running():
        threading = sys.modules.get("threading")
        names = [thread.name for thread in threading.enumerate()][1:6] if threading else []
        which = f" (threads: {', '.join(names)})" if names else ""
        yield Warned(THREADS, None, f"start threads inside tasks{which}")


def are_running() -> bool:
    return len(sys._current_frames()) > 1


def descriptors() -> Iterator[Warned]:
    """Find open descriptors, also those that a C library opened."""
    with suppress(OSError):  # no such folder on this system
        for name in sorted(os.listdir("/proc/self/fd"), key=int):
            with suppress(OSError):  # that of the listing itself
                target = os.readlink(f"/proc/self/fd/{name}")
                kind = kind_of(target) if int(name) >= FIRST_FD else None
                if kind is not None:
                    yield Warned(
                        f"{kind} is open after import; all attempts share it, so data that one "
                        f"attempt reads or writes is lost or mixed up in others",
                        None,
                        "open it inside the task",
                    )


def kind_of(target: str) -> str | None:
    if target.startswith("socket:"):
        return "a connection"
    plain = target.startswith("/") and not target.startswith(("/dev/", "/proc/", "/sys/"))
    return f"the file {target}" if plain and not target.endswith(" (deleted)") else None


def modules_of(root: Path) -> list[ModuleType]:
    """Return the modules, without calling code of objects that a file put into ``sys.modules``."""
    prefix = f"{root}{os.sep}"
    modules = [module for module in sys.modules.values() if issubclass(type(module), ModuleType)]
    return [
        module
        for module in dict.fromkeys(modules)
        if str(vars(module).get("__file__")).startswith(prefix)
    ]


# -- the values of a module


def values(module: ModuleType, since: Before) -> Iterator[Warned]:
    path = Path(str(module.__file__))
    place = str(path.relative_to(since.root))
    told = [
        (name, what, state)
        for name, value, what in named_values(module)
        if (state := state_of(value, since.at))
    ]
    written = assignments(path) if told else {}
    for name, what, state in told:
        line, constant = written.get(name, (0, False))
        if line == 0 or (constant and state in CONSTANT):
            continue  # another module's, which is looked at too; or meant to be the same
        elsewhere = "" if place == since.file else f" (in {place}:{line})"
        yield Warned(
            f"{what} is {state}{elsewhere}: {SHARED}", line if not elsewhere else None, IN_TASK
        )


def named_values(module: ModuleType) -> Iterator[tuple[str, Any, str]]:
    """Yield each value with its name and a description."""
    for name, value in list(vars(module).items()):
        if name.startswith("__"):
            continue
        if type(value) is TaskFunction:
            value = value.function
        if type(value) is FunctionType:
            defaults = [*(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
            for default in defaults:
                yield name, default, f"a default argument of {name}()"
        elif type(value) in (list, tuple, set, frozenset, dict):
            items = value.values() if isinstance(value, dict) else value
            for item in list(items)[:ITEMS_MAX]:
                yield name, item, f"a value in {name}"
        else:
            yield name, value, name


def state_of(value: Any, at: datetime) -> str | None:
    """Return the warning about a value that attempts would share, or None."""
    kind = type(value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    if name in MOMENTS:
        return NOW if is_now(value, at) else None
    if name in LOCKS and not are_running():
        return "a held lock" if "unlocked" not in repr(value) else None
    if name.startswith("numpy.random.mtrand."):  # others are seeded anew in each attempt
        return CHANCE
    if name == "uuid.UUID" and value.version in (1, 4):
        return UNIQUE
    if name in TEMPORARY:
        return "a temporary file or folder"
    iterates = hasattr(kind, "__next__") and hasattr(kind, "__iter__")
    return ITERATOR if iterates and not hasattr(kind, "fileno") else None


def is_now(value: date | float | str, at: datetime) -> bool:
    """Return whether a value is the time or day of the import."""
    now = clock.now()
    days = {now.date(), now.astimezone().date()}
    if isinstance(value, datetime):
        zones = [value.tzinfo] if value.tzinfo else [UTC, None]  # None: that of this machine
        moment = datetime.combine(value.date(), value.time())
        spans = [(at.astimezone(zone), now.astimezone(zone)) for zone in zones]
        return any(
            first.replace(tzinfo=None, microsecond=0) <= moment <= last.replace(tzinfo=None)
            for first, last in spans
        )
    if isinstance(value, date):
        return value in days
    if isinstance(value, float):
        return at.timestamp() <= value <= now.timestamp()
    return any(day.strftime(form) in value for day in days for form in ("%Y-%m-%d", "%Y%m%d"))


def assignments(path: Path) -> dict[str, tuple[int, bool]]:
    """Return the line of each top-level name, and whether its value is a constant."""
    import ast  # only for who has something to be told

    try:
        nodes: list[ast.AST] = [ast.parse(path.read_bytes())]
    except (OSError, ValueError, SyntaxError):
        return {}  # no source: a compiled module
    found: dict[str, tuple[int, bool]] = {}
    targets: list[ast.expr]
    value: ast.expr | None
    while nodes:
        node = nodes.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            if not isinstance(node, ast.Lambda):
                found[node.name] = (node.lineno, False)
            continue
        nodes += ast.iter_child_nodes(node)
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
            targets, value = [node.target], node.value
        else:
            continue
        for target in targets:
            for name in ast.walk(target):
                if isinstance(name, ast.Name):
                    found[name.id] = (node.lineno, is_constant(value))
    return found


def is_constant(node: "ast.AST | None") -> bool:
    """Return whether an expression is a literal, or a call with only literals: ``date(2013, 1, 1)``, ``Random(7)``."""
    import ast

    match node:
        case ast.Constant():
            return True
        case ast.List() | ast.Tuple() | ast.Set():
            return all(map(is_constant, node.elts))
        case ast.Dict():
            return all(map(is_constant, node.values))
        case ast.Call():
            given = [*node.args, *(keyword.value for keyword in node.keywords)]
            plain = not any(isinstance(part, ast.Call) for part in ast.walk(node.func))
            return plain and bool(given) and all(map(is_constant, given))
    return False
