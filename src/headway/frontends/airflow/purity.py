"""The watch over a DAG file that is read once more: would it be read the same way again?

Airflow's task runner reads the file anew for each task. That is seen by a file that looks at the clock, draws a number,
asks for a variable, opens what is not part of its bundle, prints. Such files go on being read for each task; what is
not known to be harmless counts as such a look. A call of a C function is harmless by the module or type that it
belongs to, or if Airflow's own core makes it for itself. Modules that the file imports are not watched: they are
imported once in a fork server, whatever the file does.
"""

import builtins
import functools
import io
import os
import sys
import sysconfig
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, Final

HARMLESS_MODULES: Final = frozenset(
    {
        *("builtins", "itertools", "math", "operator", "_operator", "_functools", "_collections"),
        *("_struct", "_json", "_sre", "_bisect", "_heapq", "_string", "_weakref", "_abc"),
        *("_codecs", "unicodedata", "zlib", "binascii", "_imp", "sys", "_warnings", "_contextvars"),
        *("_typing", "_ast", "_stat", "_decimal", "_csv", "_pickle", "errno", "_hashlib", "_md5"),
        *("_sha1", "_sha256", "_sha512", "_blake2", "_signal", "_opcode", "array"),
        *("atexit", "gc", "yaml._yaml", "pydantic_core._pydantic_core", "pendulum._pendulum"),
        "rpds",
    }
)
HARMLESS_TYPES: Final = HARMLESS_MODULES | {
    *("collections", "re", "datetime", "decimal", "fractions", "functools", "types", "weakref"),
    *(
        "_thread",
        "contextvars",
        "zoneinfo",
        "pendulum",
        "_thread._local",
        "msgspec",
        "_contextvars",
    ),
}
# Of those above, what is a look or leaves something outside of the process.
LOOKS: Final = frozenset({"print", "open", "input", "breakpoint", "settrace", "setprofile"})
LOOKS_OF_TYPES: Final = frozenset({"now", "today", "utcnow"})
OTHERS: Final = frozenset(
    {
        *(("posix", "fspath"), ("_thread", "allocate_lock"), ("_thread", "get_ident")),
        *(("_thread", "RLock"), ("_io", "text_encoding"), ("io", "text_encoding")),
    }
)
READS: Final = frozenset(
    {"read", "read1", "readline", "readlines", "readinto", "readall", "close", "seek", "tell"}
    | {"__enter__", "__exit__", "getvalue", "readable", "seekable", "fileno", "isatty"}
    | {"is_file", "is_dir", "is_symlink", "inode", "stat", "decode", "getstate", "reset"}
)
IN_MEMORY: Final = (io.StringIO, io.BytesIO)
# Parts of Airflow that reach outside for whom they are called.
REACHING: Final = ("providers", "sdk/io", "sdk/execution_time", "io", "models", "hooks", "utils")
# What each task has of its own in its environment.
OF_A_TASK: Final = "HEADWAY_"
ENVIRONMENT: Final = type(os.environ)
ONE_VARIABLE, ALL_VARIABLES = ENVIRONMENT.__getitem__.__code__, ENVIRONMENT.__iter__.__code__
PATH_FUNCTIONS: Final = ("stat", "lstat", "scandir", "listdir")


class Watch:
    """``seen``: the first look of the file, for people; "": none so far."""

    def __init__(self, root: Path) -> None:
        self.root = f"{root}{os.sep}"
        self.seen = ""
        self.core, self.reaching = airflow_folders()
        self.known = library_folders()
        self.asking = asking()
        self.judged: dict[tuple[type, str], bool] = {}

    def __call__(self, frame: FrameType, event: str, given: Any) -> None:
        if event == "call":
            if (looked := self.asked(frame)) and self.is_the_files(frame.f_back):
                self.note(looked)
        elif event == "c_call" and not self.knows(given) and self.is_the_files(frame):
            self.note(f"it calls {getattr(given, '__qualname__', given)}")

    def asked(self, frame: FrameType) -> str:
        """Return what a function asks that may be another thing for each task; "": nothing."""
        code = frame.f_code
        if code is ONE_VARIABLE:
            name = str(frame.f_locals.get("key"))
            return f"it reads {name} of its environment" if name.startswith(OF_A_TASK) else ""
        if code is ALL_VARIABLES:
            return "it reads its whole environment"
        return f"it calls {self.asking[code]}" if code in self.asking else ""

    def knows(self, function: Any) -> bool:
        """Return whether the function is harmless; most are methods of a few types, over and over."""
        owner = getattr(function, "__self__", function)
        key = (type(owner), function.__name__)
        if (found := self.judged.get(key)) is None:
            found = is_harmless(function)
            if not isinstance(owner, (type, types.ModuleType)):  # each has its own functions
                self.judged[key] = found
        return found

    def note(self, what: str) -> None:
        sys.setprofile(None)
        self.seen = self.seen or what

    def is_the_files(self, frame: FrameType | None) -> bool:
        """Return whether the file called, or a library for it; not if Airflow or we did for ourselves."""
        while frame is not None:
            name = frame.f_code.co_filename
            if name.startswith(self.core) and not name.startswith(self.reaching):
                return False
            if name == __file__ or frame.f_code.co_name == "_find_and_load":
                return False
            if not name.startswith(self.known):
                return True
            frame = frame.f_back
        return False

    def allows(self, path: Any, mode: str = "r") -> bool:
        """Return whether what is read cannot change: it is part of the bundle, or a folder above it."""
        if isinstance(path, int) or set(mode) - {"r", "t", "b"}:
            return False
        name = os.path.normpath(os.path.join(os.getcwd(), os.fsdecode(path)))
        return f"{name}{os.sep}".startswith(self.root) or self.root.startswith(f"{name}{os.sep}")


@contextmanager
def watched(root: Path) -> Iterator[Watch]:
    """Watch what runs in this thread until the end of the block, or the first look."""
    watch, before = Watch(root), sys.getprofile()
    with noting_paths(watch):
        sys.setprofile(watch)
        try:
            yield watch
        finally:
            sys.setprofile(before)


@contextmanager
def noting_paths(watch: Watch) -> Iterator[None]:
    """Let the functions that open a path be judged by it. A C call does not tell its arguments."""
    kept = [(os, name, getattr(os, name)) for name in PATH_FUNCTIONS]
    kept += [(each, "open", each.open) for each in (io, builtins)]
    for owner, name, function in kept:
        setattr(owner, name, judged(function, watch))
    try:
        yield
    finally:
        for owner, name, function in kept:
            setattr(owner, name, function)


def judged(function: Callable[..., Any], watch: Watch) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(path: Any = ".", *args: Any, **kwargs: Any) -> Any:
        mode = (
            str(args[0] if args else kwargs.get("mode", "r"))
            if function.__name__ == "open"
            else "r"
        )
        if not watch.seen and not watch.allows(path, mode) and watch.is_the_files(sys._getframe(1)):
            watch.note(f"it looks at {path}")
        return function(path, *args, **kwargs)

    return call


def is_harmless(function: Any) -> bool:
    """Return whether a function of C gives the same each time, and leaves nothing behind outside."""
    name, module = function.__name__, getattr(function, "__module__", None)
    if module in HARMLESS_MODULES:
        return name not in LOOKS
    owner = getattr(function, "__self__", getattr(function, "__objclass__", None))
    if module is not None or owner is None:
        return (module, name) in OTHERS
    if name == "__init_subclass__":
        return True
    kind = owner if isinstance(owner, type) else type(owner)
    definer = next((each for each in kind.__mro__ if name in vars(each)), kind).__module__
    if definer in ("_io", "posix"):
        return name in READS or isinstance(owner, IN_MEMORY)
    return definer in HARMLESS_TYPES and name not in LOOKS_OF_TYPES


def airflow_folders() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the folders of Airflow's core, and those below that reach outside."""
    import airflow

    folders = [f"{folder}{os.sep}" for folder in airflow.__path__]
    return tuple(folders), tuple(f"{folder}{part}" for folder in folders for part in REACHING)


def library_folders() -> tuple[str, ...]:
    """Return how the names of files begin that no DAG author writes."""
    paths = sysconfig.get_paths()
    folders = {paths[name] + os.sep for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    return (*folders, *airflow_folders()[0], "<frozen ", f"{Path(__file__).parents[2]}{os.sep}")


def asking() -> dict[CodeType, str]:
    """Return the functions of Airflow by which a file asks what may be another thing for each task."""
    from airflow.sdk import Connection, Variable, get_parsing_context, timezone

    functions = {
        "Variable.get": Variable.get,
        "Connection.get": Connection.get,
        "get_parsing_context": get_parsing_context,
        "timezone.utcnow": timezone.utcnow,
    }
    return {getattr(each, "__func__", each).__code__: name for name, each in functions.items()}
