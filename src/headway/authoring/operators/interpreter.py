"""``@task.external_python(python=…)`` and ``@task.virtualenv(requirements=…)``: a function in another interpreter.

The function alone is run there: it imports what it needs itself, and knows nothing of its file. Its arguments and its
result are JSON values; of the run it may ask for what is text or a number (``ds``, ``run_id``, ``params`` …). It needs
neither Headway nor this Python's packages. ``sys.exit(99)`` skips the task.

A virtual environment is made for each attempt, in its working directory; with ``venv_cache_path``, once for each set of
requirements below that folder.
"""

import ast
import hashlib
import inspect
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from typing import Any, Final, NamedTuple

from headway.authoring.frames import Site
from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.bash import EXIT_SKIP, Tail, stream
from headway.authoring.operators.python import asked_for
from headway.authoring.rendered import show_arguments
from headway.authoring.run import Fail, Skip
from headway.authoring.signatures import signature_of
from headway.spec.errors import BadSpec, listing

CO_COROUTINE: Final = 0x80
OPTIONS: Final = {
    "external_python": ("python",),
    "virtualenv": (
        *("requirements", "python_version", "system_site_packages", "pip_install_options"),
        "venv_cache_path",
    ),
}
SCRIPT: Final = '''"""Made from a task, to be run in another interpreter."""
import json as _json
import sys as _sys

_open = open

{source}

# The names below are not those of anybody's function.
if __name__ == "__main__":
    with _open(_sys.argv[1], encoding="utf-8") as _file:
        _given = _json.load(_file)
    _result = {name}(*_given["args"], **_given["kwargs"])
    try:
        _text = _json.dumps(_result, allow_nan=False)
    except (TypeError, ValueError) as _error:
        _sys.exit(f"ResultIsNotJson: the result of {name} cannot be passed on as JSON: {{_error}}")
    with _open(_sys.argv[2], "w", encoding="utf-8") as _file:
        _file.write(_text)
'''


class InterpreterFailed(Exception):
    """The function raised, or its interpreter or virtual environment could not be started."""

    def __init__(self, text: str, exit_code: int | None = None) -> None:
        super().__init__(text)
        self.exit_code = exit_code


class Interpreter(NamedTuple):
    """``python``: the path of an interpreter; None: that of a virtual environment with ``requirements``."""

    python: str | None = None
    requirements: tuple[str, ...] = ()
    python_version: str | None = None
    system_site_packages: bool = False
    pip_install_options: tuple[str, ...] = ()
    venv_cache_path: str | None = None


def taken(word: str, options: dict[str, Any], site: Site) -> Interpreter:
    """Take the options of an interpreter out of those of a task. Raises BadSpec."""

    def wrong(message: str, hint: str | None = None) -> BadSpec:
        return BadSpec(f"@task.{word}: {message}", file=site.file, line=site.line, hint=hint)

    given = {name: options.pop(name) for name in OPTIONS[word] if name in options}
    for name in ("requirements", "pip_install_options"):
        value = given.get(name, ())
        texts = value.split("\n") if isinstance(value, str) else value
        if not isinstance(texts, list | tuple) or not all(isinstance(one, str) for one in texts):
            raise wrong(f"{name} must be a list of strings, not {value!r}")
        if name in given:
            given[name] = tuple(text.strip() for text in texts if text.strip())
    for name in ("python", "python_version", "venv_cache_path"):
        if name in given and not isinstance(given[name], str | os.PathLike):
            raise wrong(f"{name} must be a string, not {given[name]!r}")
        if name in given:
            given[name] = os.fspath(given[name])
    if not isinstance(given.get("system_site_packages", False), bool):
        raise wrong("system_site_packages must be True or False")
    if word == "external_python" and not given.get("python"):
        raise wrong("it needs python", hint='for instance python="/opt/analytics/bin/python"')
    return Interpreter(**given)


def refuse_unfit(word: str, function: Callable[..., object], site: Site) -> None:
    """Raise BadSpec for a function that cannot be run alone."""
    code = getattr(function, "__code__", None)
    why = None
    if code is None or code.co_name == "<lambda>":
        why = "it decorates a function that is written with def"
    elif code.co_flags & CO_COROUTINE:
        why = "the function cannot be async"
    elif code.co_freevars:
        why = (
            f"{code.co_name} uses {listing(code.co_freevars)} of the function around it, "
            f"which the other interpreter does not have; pass what it needs as arguments"
        )
    if why is not None:
        raise BadSpec(f"@task.{word}: {why}", file=site.file, line=site.line)


def operator_of(word: str, interpreter: Interpreter) -> Operator:
    work = partial(run_function, interpreter)
    return Operator(word=word, parameters=(), required=(), run=work, run_function=work)


def run_function(interpreter: Interpreter, call: Call) -> object:
    assert call.function is not None, "a task without its function"
    args, kwargs = arguments_of(call)
    with TemporaryDirectory(prefix="interpreter-", dir=os.getcwd()) as folder:
        return run_in(Path(folder), interpreter, call.function, args, kwargs)


def run_in(
    place: Path,
    interpreter: Interpreter,
    function: Callable[..., object],
    args: Sequence[object],
    kwargs: Mapping[str, object],
) -> object:
    """Run the function in a process that has ``place`` for what it is given and returns."""
    script, given, result = place / "task.py", place / "given.json", place / "result.json"
    script.write_text(
        SCRIPT.format(source=source_of(function), name=function.__name__),
        encoding="utf-8",
    )
    given.write_text(json.dumps({"args": args, "kwargs": kwargs}), encoding="utf-8")
    python = interpreter.python or environment_of(interpreter, place)
    code, said = run([python, str(script), str(given), str(result)])
    if code == EXIT_SKIP:
        raise Skip(f"the function ended with exit code {EXIT_SKIP}")
    if code:
        raise InterpreterFailed(said or f"{python} ended with exit code {code}", code)
    if not result.exists():
        raise InterpreterFailed("the function ended its process before it returned")
    return json.loads(result.read_text(encoding="utf-8"))


def arguments_of(call: Call) -> tuple[Sequence[object], Mapping[str, object]]:
    """Return what the function gets, as JSON has it. Raises Fail for what it has no word for."""
    assert call.function is not None
    signature = signature_of(call.function)
    show_arguments(signature.parameters, call.args, call.kwargs)
    more = asked_for(signature, len(call.args), call.kwargs, call.run)
    kwargs = {
        **call.kwargs,
        **{name: dict(value) if name == "params" else value for name, value in more.items()},  # type: ignore[call-overload]
    }
    for name, value in (*enumerate(call.args), *kwargs.items()):
        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            hint = "ask for ds, ts, run_id or params" if name in more else "pass texts and numbers"
            raise Fail(
                f"the argument {name} cannot be passed to another interpreter: {error}; {hint}"
            ) from None
    return call.args, kwargs


def source_of(function: Callable[..., object]) -> str:
    """Return the function alone: without decorators, and without annotations, whose names are of its file."""
    try:
        (node,) = ast.parse(textwrap.dedent(inspect.getsource(function))).body
    except (OSError, SyntaxError, ValueError) as error:
        raise Fail(f"the source of {function.__name__} cannot be read: {error}") from None
    assert isinstance(node, ast.FunctionDef), node
    node.decorator_list, node.returns = [], None
    arguments = node.args
    for each in (
        *(*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs),
        *(one for one in (arguments.vararg, arguments.kwarg) if one is not None),
    ):
        each.annotation = None
    return ast.unparse(node)


def run(command: Sequence[str]) -> tuple[int, str]:
    """Run a command, its output in the log. Returns its exit code and the last line of its standard error."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in ("PYTHONPATH", "PYTHONHOME")
    }
    try:
        with subprocess.Popen(
            list(command),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**kept, "PYTHONUNBUFFERED": "1"},
        ) as process:
            assert process.stdout is not None
            assert process.stderr is not None
            complained = Tail(process.stderr, sys.stderr)
            stream(process, Tail(process.stdout, sys.stdout), complained)
            code = process.wait()
    except OSError as error:
        raise Fail(f"{command[0]} cannot be started: {error.strerror}") from None
    return code, next((line for line in reversed(complained.lines()) if line.strip()), "")


def environment_of(interpreter: Interpreter, place: Path) -> str:
    """Return the Python of a virtual environment with the requirements, which is made where it is missing."""
    if interpreter.venv_cache_path is None:
        return made(interpreter, place / "venv")
    cache = Path(interpreter.venv_cache_path)
    asked = repr((sys.version if interpreter.python_version is None else "", interpreter))
    kept = cache / hashlib.sha256(asked.encode()).hexdigest()[:20]
    if not (kept / "bin" / "python").exists():
        cache.mkdir(parents=True, exist_ok=True)
        draft = Path(mkdtemp(prefix=".", dir=cache))
        try:
            made(interpreter, draft)
            with suppress(OSError):  # another attempt was first
                draft.rename(kept)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
    return str(kept / "bin" / "python")


def made(interpreter: Interpreter, place: Path) -> str:
    """Make a virtual environment. Raises InterpreterFailed: an index that did not answer may do so later."""
    base = f"python{interpreter.python_version}" if interpreter.python_version else sys.executable
    more = ["--system-site-packages"] if interpreter.system_site_packages else []
    code, said = run([base, "-m", "venv", *more, str(place)])
    if code:
        raise InterpreterFailed(f"the virtual environment cannot be made: {said}")
    python = str(place / "bin" / "python")
    if interpreter.requirements:
        install = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        code, said = run([*install, *interpreter.pip_install_options, *interpreter.requirements])
        if code:
            raise InterpreterFailed(f"the requirements cannot be installed: {said}")
    return python
