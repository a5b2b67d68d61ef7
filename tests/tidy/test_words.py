"""Texts keep to docs/voice.md: the habits that came back most often are refused here."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.tidy.test_docs import documents
from tests.tidy.tree import name, nodes, source_files

# A habit, and what to write instead.
HABITS: Final = {
    r"\bfor ever\b": "forever",
    r"\bwhoever\b": "anyone who, users who",
    r"\bmend(s|ed|ing)?\b": "fix, repair",
    r"\bhanded on nothing\b": "returned no result",
    r"\bcalled so\b": "with that name",
    r"\bwill stand\b": "appears",
    r"\b(?<!there )(is|are) no (?!longer\b|more than\b|fewer than\b)": "is not a …, has no …",
}
HABIT: Final = re.compile("|".join(f"(?:{habit})" for habit in HABITS), re.IGNORECASE)

# How a docstring must not begin, and what to write instead.
OPENINGS: Final = {
    "What": "a verb or a noun phrase: 'Return the rows that …', 'The rows that …'",
    "Of": "the noun: 'The state of a task instance'",
    "Whether": "'Return whether …', 'True if …'",
    "Where": "'The place where …', 'Return the line on which …'",
    "Whose": "'The owner of …'",
    "Who": "'The user who …'",
    "Whoever": "'Anyone who …'",
    "How": "the noun: 'The end of an attempt', 'Return how …'",
    "Which": "'The tasks that …', 'Return which …'",
    "By": "'Return the … by …'",
    "From": "'Return the … from …'",
    "With": "a verb or a noun phrase",
    "Also": "a verb or a noun phrase",
    "It": "the noun, or a verb",
    "The same for": "'Like `name`, for …'",
}
OPENING: Final = re.compile(rf"({'|'.join(OPENINGS)})\b")

QUOTED_ON_PURPOSE: Final = ("docs/voice.md", "docs/coverage.md")  # bad examples; names of tests


def docstrings(file: Path) -> Iterator[tuple[int, str]]:
    for node in nodes(file):
        if isinstance(
            node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
        ) and (text := ast.get_docstring(node)):
            yield getattr(node, "lineno", 1), text


def texts(file: Path) -> Iterator[tuple[int, str]]:
    """Every string of a file, docstrings too."""
    for node in nodes(file):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value


def lines(document: Path) -> Iterator[tuple[int, str]]:
    yield from enumerate(document.read_text(encoding="utf-8").splitlines(), 1)


def instead(found: str) -> str:
    return next(
        better for habit, better in HABITS.items() if re.search(habit, found, re.IGNORECASE)
    )


def test_texts_have_no_unidiomatic_phrases() -> None:
    read = [(file, texts(file)) for file in source_files()]
    read += [(file, lines(file)) for file in documents() if name(file) not in QUOTED_ON_PURPOSE]
    found = [
        f"{name(file)}:{line}: {match[0].strip()!r}: write {instead(text)}"
        for file, said in read
        for line, text in said
        if (match := HABIT.search(text))
    ]
    assert found == [], "docs/voice.md says how Headway's texts are written"


def test_docstrings_begin_with_a_verb_or_a_noun() -> None:
    found = [
        f"{name(file)}:{line}: {text.splitlines()[0][:60]!r}: write {OPENINGS[match[1]]}"
        for file in source_files()
        for line, text in docstrings(file)
        if (match := OPENING.match(text))
    ]
    assert found == [], "docs/voice.md: a docstring begins with a verb or a noun phrase"
