"""Reading one DAG file: its module run once, the DAGs it makes collected, its mistakes told in one
sentence.

Meant for a process of its own: it leaves the bundle on ``sys.path`` and the module in
``sys.modules``.
"""

import re
import sys
from collections.abc import Callable
from hashlib import sha256
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Final

import headway
from headway.authoring import context
from headway.authoring.dag import DAG, DagFunction
from headway.authoring.names import name_hint
from headway.authoring.operators import OPERATORS
from headway.spec.errors import BadSpec as BadSpec

TEXT_MAX: Final = 500
# Packages whose name differs from the module's.
DISTRIBUTIONS: Final = {
    "PIL": "pillow",
    "bs4": "beautifulsoup4",
    "cv2": "opencv-python",
    "dateutil": "python-dateutil",
    "sklearn": "scikit-learn",
    "yaml": "pyyaml",
}


class LoadError(BadSpec):
    """A DAG file that cannot be read. ``file`` is relative to the bundle."""

    def __init__(self, message: str, file: str, line: int = 0, hint: str | None = None) -> None:
        super().__init__(message, file=file, line=line, hint=hint)


def load_file(path: Path | str, root: Path | str) -> list[DAG]:
    """The DAGs of the file in the order they are made; @dag functions that nobody called, too."""
    path, root = Path(path).resolve(), Path(root).resolve()
    file = path.relative_to(root).as_posix() if path.is_relative_to(root) else path.name
    with context.recording(str(path)) as made:
        code = compiled(path, file)
        for folder in (path.parent, root):
            if str(folder) not in sys.path:
                sys.path.append(str(folder))  # behind what others rely on, see ``names``
        module = new_module(path, file)
        guarded(lambda: exec(code, module.__dict__), path, file)
        own = [thing for thing in made if thing.site.module == module.__name__]
        for thing in own:
            if isinstance(thing, DagFunction) and not thing.called:
                guarded(thing.make_itself, path, file)
    # A DAG that the file imports from another DAG file belongs to that one.
    dags = [
        thing for thing in made if isinstance(thing, DAG) and thing.site.module == module.__name__
    ]
    refuse_duplicates(dags, file)
    return dags


def new_module(path: Path, file: str) -> ModuleType:
    """Under the name by which an import finds the file, as processes that a task spawns must find it;
    under one of our own where that name means something else. Both are the same in every process
    that reads the same version.
    """
    own = f"headway_dags_{path.stem.replace('.', '_')}_{sha256(file.encode()).hexdigest()[:12]}"
    spec = importable(path) or ModuleSpec(own, None, origin=str(path))
    module = ModuleType(spec.name)
    module.__file__ = str(path)
    module.__spec__ = spec
    module.__loader__ = spec.loader
    sys.modules[spec.name] = module
    sys.modules[own] = module  # stored values of earlier versions name their classes so
    return module


def importable(path: Path) -> ModuleSpec | None:
    """Return the module spec of the file, if an import of its name finds the file."""
    name = path.stem
    if "." in name or name in sys.stdlib_module_names:
        return None
    if name in sys.modules and getattr(sys.modules[name], "__file__", None) != str(path):
        return None
    spec = PathFinder.find_spec(name)
    return spec if spec is not None and spec.origin == str(path) else None


def compiled(path: Path, file: str, text: bytes | None = None) -> CodeType:
    """Compile the file, or its ``text`` if that is in no file of its own. Raises LoadError."""
    try:
        code = path.read_bytes() if text is None else text
        return compile(code, str(path), "exec", dont_inherit=True)
    except SyntaxError as error:
        raise LoadError(f"{type(error).__name__}: {error.msg}", file, error.lineno or 0) from None
    except OSError as error:
        raise LoadError(f"the file cannot be read: {error.strerror}", file) from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise LoadError(f"the file is not valid Python: {error}", file) from None


def guarded(work: Callable[[], object], path: Path, file: str) -> None:
    """A file may raise anything, also SystemExit. Ctrl-C stays a person's word."""
    try:
        work()
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise explained(error, path, file) from None


def explained(error: BaseException, path: Path, file: str) -> LoadError:
    """Describe an error for the file's author, with the line of the file that caused it."""
    line = last_line(error.__traceback__, str(path))
    if isinstance(error, BadSpec):
        if error.file == str(path):
            return LoadError(error.message, file, error.line, error.hint)
        place = f" (in {Path(error.file).name}:{error.line})" if error.file else ""
        return LoadError(error.message + place, file, line, error.hint)
    if isinstance(error, SystemExit):
        code = "" if error.code is None else text_of(error.code)
        return LoadError(
            f"the file ends the process: sys.exit({code})",
            file,
            line,
            "a DAG file must only define DAGs; do the work in tasks",
        )
    if hint := import_hint(error, path, file):
        return LoadError(one_line(error), file, line, hint)
    if isinstance(error, SyntaxError):  # of a module that the file imports
        place = f" (in {Path(error.filename or '').name}:{error.lineno})"
        return LoadError(f"{type(error).__name__}: {error.msg}{place}", file, line)
    return LoadError(one_line(error) + elsewhere(error.__traceback__, path), file, line)


def one_line(error: BaseException) -> str:
    text = text_of(error)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(thing: object) -> str:
    """Return ``thing`` as one short line."""
    try:
        return " ".join(str(thing).split())[:TEXT_MAX]
    except BaseException:  # it is the user's, and so is its __str__
        return ""


def last_line(trace: TracebackType | None, path: str) -> int:
    line = 0
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def elsewhere(trace: TracebackType | None, path: Path) -> str:
    """Return the place where an error was raised, if it is not in the DAG file."""
    last = None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None or last.tb_frame.f_code.co_filename == str(path):
        return ""
    return f" (in {Path(last.tb_frame.f_code.co_filename).name}:{last.tb_lineno})"


def import_hint(error: BaseException, path: Path, file: str) -> str | None:
    """Return a hint for a module that is missing or shadowed."""
    root = path.parents[file.count("/")]
    if isinstance(error, ImportError) and "relative import" in text_of(error):
        return "relative imports do not work in DAG files; import from the DAG folder: `from package import module`"
    if (missing := missing_word(error)) is not None:
        from headway.authoring import airflow_words

        return airflow_words.hint(missing, (*headway.HOMES, *OPERATORS))
    hint = name_hint(error, (path.parent, root))
    if hint is None and isinstance(error, ModuleNotFoundError):
        return package_hint(error)
    return hint


def missing_word(error: BaseException) -> str | None:
    """Return the name that a file wants from ``headway`` and that is not there."""
    if (
        not isinstance(error, ImportError)
        or error.name != "headway"
        or isinstance(error, ModuleNotFoundError)
    ):
        return None
    found = re.match(r"cannot import name '(\w+)'", text_of(error))
    return None if found is None else found[1]


def package_hint(error: ModuleNotFoundError) -> str | None:
    """The next step; None when the package is there and lacks only this part."""
    top = (error.name or "").partition(".")[0]
    if top == "headway":
        return "everything for DAG files is in headway itself: from headway import bash, dag, task"
    if not top or top in sys.modules:
        return None
    if top == "airflow":
        return "import from headway instead: from headway import DAG, dag, task"
    package = DISTRIBUTIONS.get(top, top)
    return (
        f"install it in the environment that Headway's agent runs in: "
        f"{sys.executable} -m pip install {package}, or put {top}.py next to the DAG file"
    )


def refuse_duplicates(dags: list[DAG], file: str) -> None:
    seen: dict[str, DAG] = {}
    for dag in dags:
        earlier = seen.setdefault(dag.dag_id, dag)
        if earlier is not dag:
            first, second = earlier.made_at.line, dag.made_at.line
            raise LoadError(
                f'two DAGs are called "{dag.dag_id}", made at lines {first} and {second}',
                file,
                second,
                'give each DAG its own id: @dag(dag_id=f"report_{country}"), '
                "or function.override(dag_id=…)()",
            )
