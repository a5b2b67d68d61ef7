"""Finds tasks of pods that write to local paths. A pod's root is read-only, and what is on its disk goes with it.

A path counts if its beginning is text in the file, also by way of a constant, an f-string or ``Path``. Files
that are only read are left alone, because an image may have some, and so are ``/tmp`` and the volumes of the task.
"""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from pathlib import PurePath
from typing import Any, Final

from headway.core.pod_overlay import CONTAINER

FREE: Final = ("/tmp", "/dev", "/proc", "/headway/scratch")
OF_PATHS: Final = {"write_text", "write_bytes", "touch", "mkdir"}
# Methods of data frames and figures, whose first argument is the file.
OF_DATA: Final = {
    *("to_csv", "to_parquet", "to_json", "to_excel", "to_pickle", "to_feather", "to_hdf", "to_orc"),
    *("write_csv", "write_parquet", "write_json", "sink_csv", "sink_parquet", "savefig"),
}
OF_MODULES: Final = {
    "os": {"mkdir": 0, "makedirs": 0},
    "shutil": {"copy": 1, "copy2": 1, "copyfile": 1, "copytree": 1, "move": 1},
    "np": {"save": 0, "savez": 0, "savetxt": 0},
    "numpy": {"save": 0, "savez": 0, "savetxt": 0},
}
WRITING: Final = set("wax+")
DEPTH_MAX: Final = 5
HINT: Final = (
    "write to /tmp what only this attempt needs; what others read is a result, an object in S3, "
    'or a file in a volume: volumes={"/data": {"claim": "data"}}'
)


def found(
    task_id: str, function: Callable[..., Any], pod: Mapping[str, Any], file: str
) -> Iterator[tuple[str, int, str]]:
    """Yield each place of the file where a task in a pod writes to the pod's own disk: a message, a line and a hint."""
    for path, line in writes(function, (*FREE, *mount_paths(pod)), file, set()):
        said = f"{task_id} writes to the local path {path}, and the root of its pod is read-only"
        yield said, line, HINT


def mount_paths(pod: Mapping[str, Any]) -> Iterator[str]:
    for container in pod.get("spec", {}).get("containers", ()):
        if container.get("name") == CONTAINER:
            yield from (str(each.get("mountPath")) for each in container.get("volumeMounts", ()))


def writes(
    function: Callable[..., Any], free: tuple[str, ...], file: str, seen: set[object]
) -> Iterator[tuple[str, int]]:
    """Yield the paths that a function and what it calls in its file write to, with their lines."""
    code = getattr(function, "__code__", None)
    if code is None or code.co_filename != file or code in seen:
        return
    seen.add(code)
    try:
        lines, first = inspect.getsourcelines(function)
        (node,) = ast.parse(textwrap.dedent("".join(lines))).body
    except (OSError, TypeError, SyntaxError, ValueError):
        return
    names = Names(function, node)
    for call in (each for each in ast.walk(node) if isinstance(each, ast.Call)):
        path = names.beginning(target(call))
        if path is not None and is_local(path, free):
            yield path, first + call.lineno - 1
        called = names.known.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if inspect.isfunction(called):
            yield from writes(called, free, file, seen)


def is_local(path: str, free: tuple[str, ...]) -> bool:
    """Return whether a path, of which only the beginning may be known, is certainly one of the pod's own disk."""
    if not path.startswith("/") or path.startswith("//") or path.strip("/") == "":
        return False
    return not any(path.startswith(each) or each.startswith(path) for each in free)


def target(call: ast.Call) -> ast.expr | None:
    """Return what a call writes to, if it writes to a file."""
    match call.func:
        case ast.Name("open") if writing(call, 1):
            return argument(call, 0)
        case ast.Attribute(path, "open") if writing(call, 0):
            return path
        case ast.Attribute(path, name) if name in OF_PATHS:
            return path
        case ast.Attribute(_, name) if name in OF_DATA:
            return argument(call, 0)
        case ast.Attribute(ast.Name(module), name) if name in OF_MODULES.get(module, ()):
            return argument(call, OF_MODULES[module][name])
    return None


def writing(call: ast.Call, place: int) -> bool:
    """Return whether a file is opened to write to it: its mode is in that place, or has its name."""
    named = next((each.value for each in call.keywords if each.arg == "mode"), None)
    mode = named or argument(call, place)
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and bool(WRITING & set(mode.value))
    )


def argument(call: ast.Call, place: int) -> ast.expr | None:
    return call.args[place] if len(call.args) > place else None


class Names:
    """The values of names in a function: globals and variables around it, and its own that are set once."""

    def __init__(self, function: Callable[..., Any], node: ast.AST) -> None:
        code, cells = function.__code__, function.__closure__ or ()
        self.known: dict[str, Any] = dict(function.__globals__)
        for name, cell in zip(code.co_freevars, cells, strict=True):
            if (found := contents(cell)) is not None:
                self.known[name] = found
        self.own: dict[str, list[ast.expr]] = {name: [] for name in code.co_varnames}
        for each in ast.walk(node):
            if isinstance(each, ast.Assign) and isinstance(each.targets[0], ast.Name):
                self.own.setdefault(each.targets[0].id, []).append(each.value)

    def beginning(self, node: ast.expr | None, deep: int = 0) -> str | None:
        """Return the text that a path begins with, or None if the file does not say it."""
        if deep > DEPTH_MAX:
            return None
        match node:
            case ast.Constant(str(text)):
                return text
            case ast.JoinedStr([first, *_]):
                return self.beginning(first, deep + 1)
            case ast.FormattedValue(value):
                return self.beginning(value, deep + 1)
            case ast.BinOp(left, ast.Add() | ast.Div()):
                return self.beginning(left, deep + 1)
            case ast.Call(ast.Name("Path") | ast.Attribute(_, "Path" | "join"), [first, *_]):
                return self.beginning(first, deep + 1)
            case ast.Name(name) if name in self.own:
                values = self.own[name]
                return self.beginning(values[0], deep + 1) if len(values) == 1 else None
            case ast.Name(name) if isinstance(self.known.get(name), str | PurePath):
                return str(self.known[name])
        return None


def contents(cell: Any) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # it is empty
        return None
