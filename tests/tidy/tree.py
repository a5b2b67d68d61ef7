"""The repository as the tidy tests see it: its Python files, parsed once."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
SOURCE: Final = ROOT / "src" / "headway"
FOLDERS: Final = ("src", "tests", "bench", "examples")


@cache
def python_files() -> tuple[Path, ...]:
    return tuple(sorted(file for folder in FOLDERS for file in files_below(ROOT / folder)))


def files_below(folder: Path) -> Iterator[Path]:
    """Hidden folders are not walked: the benches keep whole virtual environments in one."""
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.name.startswith("."):
            yield from files_below(entry)
        elif entry.suffix == ".py":
            yield entry


@cache
def source_files() -> tuple[Path, ...]:
    return tuple(file for file in python_files() if file.is_relative_to(SOURCE))


@cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"), str(file))


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """All of them, walked once: several tests look at each."""
    return tuple(ast.walk(parsed(file)))


def name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def functions(file: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for node in nodes(file):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node


def calls(file: Path) -> Iterator[ast.Call]:
    for node in nodes(file):
        if isinstance(node, ast.Call):
            yield node


def imports(file: Path) -> Iterator[tuple[str, int]]:
    """Each absolute module an import names, with its line; `from a import b` names a and a.b."""
    for node in nodes(file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, node.lineno
            yield from ((f"{node.module}.{alias.name}", node.lineno) for alias in node.names)


def dotted(node: ast.expr) -> str:
    """`a.b.c` of an attribute chain; what is not one ends in the names that are left."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}".lstrip(".")
    return node.id if isinstance(node, ast.Name) else ""
