"""``.airflowignore``: files that Airflow does not read for DAGs, though others may import them.

Patterns are globs as in ``.gitignore``, below the folder of their file; or regular expressions, where the
setting ``dag_ignore_file_syntax`` says so, as before Airflow 3.

Either may take forever to compile or to compare, and only a process can be stopped: so patterns are compared in one
of their own, with limits on its time and memory. ``python -m headway.frontends.airflow.ignore``.
"""

import os
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Final

import msgspec

from headway.spec.errors import BadSpec

FILE: Final = ".airflowignore"
SYNTAX: Final = "AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX"
COMMENT: Final = re.compile(r"\s*#.*")
CPU_S: Final = 5
MEMORY_BYTES: Final = 1 << 30
WALL_S: Final = 60.0  # where the machine has too much to do

Answer = frozenset[str] | BadSpec


class Question(msgspec.Struct, frozen=True):
    texts: dict[str, str]  # of the ignore files, by their paths
    paths: list[str]
    regular: bool


def ignored(texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
    """Return those of ``paths`` that one of the files names; ``texts``: of the files, by their own paths.

    Raises BadSpec if the patterns of a file cannot be compared within the limits.
    """
    if not any(map(lines, texts.values())):
        return set()
    regular = os.environ.get(SYNTAX, "").lower() == "regexp"
    answer = asked(tuple(sorted(texts.items())), tuple(sorted(paths)), regular)
    if isinstance(answer, BadSpec):
        raise answer
    return set(answer)


@lru_cache(maxsize=8)
def asked(texts: tuple[tuple[str, str], ...], paths: tuple[str, ...], regular: bool) -> Answer:
    """Ask the process. A folder is looked at again and again, and what it has to compare rarely changes."""
    question = msgspec.json.encode(Question(dict(texts), list(paths), regular))
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "headway.frontends.airflow.ignore"],
            input=question,
            capture_output=True,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            timeout=WALL_S,
            check=False,
        )
        output, ended = done.stdout, done.returncode == 0
    except subprocess.TimeoutExpired as error:
        output, ended = error.stdout or b"", False
    *begun, last = output.split(b"\0") if output else (b"",)
    if ended:
        return frozenset(msgspec.json.decode(last, type=list[str]))
    names = [name.decode("utf-8", "surrogateescape") for name in begun if name]
    return BadSpec(
        f"its patterns take more than {CPU_S} s or {MEMORY_BYTES >> 30} GB to compare with "
        f"{len(paths):,} files, so changes of the DAG folder are not read",
        file=names[-1] if names else FILE,
        hint="use patterns with fewer * and repeats",
    )


def main() -> None:
    """Answer the question on stdin: the name of each ignore file as it is begun, then the paths that they name."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_S, CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    given = msgspec.json.decode(sys.stdin.buffer.read(), type=Question)
    found: set[str] = set()
    for file, text in given.texts.items():
        sys.stdout.buffer.write(file.encode("utf-8", "surrogateescape") + b"\0")
        sys.stdout.buffer.flush()
        folder = file.removesuffix(FILE)
        matches = by_regexp(text) if given.regular else by_glob(text)
        found |= {
            path
            for path in given.paths
            if path.startswith(folder) and matches(path.removeprefix(folder))
        }
    sys.stdout.buffer.write(msgspec.json.encode(sorted(found)))


def by_glob(text: str) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec  # comes with Airflow

    return GitIgnoreSpec.from_lines(lines(text)).match_file


def by_regexp(text: str) -> Callable[[str], bool]:
    patterns = []
    for line in lines(text):
        try:
            patterns.append(re.compile(line))
        except (re.error, RecursionError, OverflowError):
            continue  # as Airflow does, which warns of it in its log
    return lambda path: any(pattern.search(path) for pattern in patterns)


def lines(text: str) -> list[str]:
    found = (COMMENT.sub("", line).strip() for line in text.splitlines())
    return [line for line in found if line]


if __name__ == "__main__":
    main()
