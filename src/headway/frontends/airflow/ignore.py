"""``.airflowignore``: files that Airflow does not read for DAGs, though others may import them.

Patterns are globs as in ``.gitignore``, below the folder of their file; or regular expressions, where the
setting ``dag_ignore_file_syntax`` says so, as before Airflow 3.
"""

import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Final

FILE: Final = ".airflowignore"
SYNTAX: Final = "AIRFLOW__CORE__DAG_IGNORE_FILE_SYNTAX"
COMMENT: Final = re.compile(r"\s*#.*")


def ignored(texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
    """Return those of ``paths`` that one of the files names; ``texts``: of the files, by their own paths."""
    regular = os.environ.get(SYNTAX, "").lower() == "regexp"
    rules = {
        file.removesuffix(FILE): by_regexp(text) if regular else by_glob(text)
        for file, text in texts.items()
    }
    return {
        path
        for path in paths
        if any(
            path.startswith(folder) and matches(path.removeprefix(folder))
            for folder, matches in rules.items()
        )
    }


def by_glob(text: str) -> Callable[[str], bool]:
    from pathspec import GitIgnoreSpec  # comes with Airflow

    return GitIgnoreSpec.from_lines(lines(text)).match_file


def by_regexp(text: str) -> Callable[[str], bool]:
    patterns = []
    for line in lines(text):
        try:
            patterns.append(re.compile(line))
        except re.error:
            continue  # as Airflow does, which warns of it in its log
    return lambda path: any(pattern.search(path) for pattern in patterns)


def lines(text: str) -> list[str]:
    found = (COMMENT.sub("", line).strip() for line in text.splitlines())
    return [line for line in found if line]
