"""Lists made of the results of tasks: ``.map(function)``, ``.zip(…)``, ``.concat(…)``.

They are known when the results are. A task is mapped over one item by item, or receives it whole.
A dict counts as the list of its pairs of key and value, as it does in ``expand``.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Any, Final

from headway.authoring.frames import call_site
from headway.authoring.references import RESULT_KEY, Callee, Listed, LookUp, XComArg
from headway.authoring.values import item_at, length_of
from headway.spec.errors import BadSpec

NOTHING: Final = object()  # instead of an item that the mapped instance does not have
Places = Iterator[tuple[int, object]]  # of each result in it: the position, and the item there


class Mapped(Listed):
    """Each item of ``source`` as ``function`` makes it. Raising Skip in it skips the task."""

    __slots__ = ("function", "parts", "source")

    def __init__(self, source: Listed, function: Callable[[Any], object]) -> None:
        if isinstance(function, Callee) or not callable(function):
            told = function.name if isinstance(function, Callee) else repr(function)
            raise wrong(
                f".map() needs a plain function, not {told}",
                "use .expand() to run a task for each item"
                if isinstance(function, Callee)
                else "for instance result.map(str.upper)",
            )
        self.source, self.function, self.parts = source, function, (source,)

    def whole(self, look_up: LookUp) -> object:
        return [self.function(item) for item in items_of(self.source, look_up)]

    def item(self, places: Places) -> object:
        item = item_of(self.source, places)
        return item if item is NOTHING else self.function(item)

    def described(self) -> str:
        return f"{self.source.described()} with .map()"


class Zipped(Listed):
    """Tuples of one item of each part: as many as the shortest has, or, with ``fill``, the longest."""

    __slots__ = ("fill", "parts")

    def __init__(self, parts: Sequence[Listed], fill: object) -> None:
        self.parts, self.fill = checked(parts, ".zip()"), fill

    def whole(self, look_up: LookUp) -> object:
        lists = [items_of(part, look_up) for part in self.parts]
        if self.fill is NOTHING:
            return list(zip(*lists, strict=False))
        return list(zip_longest(*lists, fillvalue=self.fill))

    def item(self, places: Places) -> object:
        items = [item_of(part, places) for part in self.parts]
        if all(item is NOTHING for item in items):
            return NOTHING
        return tuple(self.fill if item is NOTHING else item for item in items)

    def described(self) -> str:
        return " zipped with ".join(part.described() for part in self.parts)


class Concatenated(Listed):
    """The items of the first part, then those of the next."""

    __slots__ = ("parts",)

    def __init__(self, parts: Sequence[Listed]) -> None:
        self.parts = checked(parts, ".concat()")

    def whole(self, look_up: LookUp) -> object:
        return [item for part in self.parts for item in items_of(part, look_up)]

    def item(self, places: Places) -> object:
        items = [item_of(part, places) for part in self.parts]  # each takes its places
        return next((item for item in items if item is not NOTHING), NOTHING)

    def described(self) -> str:
        return " and ".join(part.described() for part in self.parts)


def item_of(listed: Listed, places: Places) -> object:
    """Return the item of a mapped instance, or NOTHING."""
    if isinstance(listed, (Mapped, Zipped, Concatenated)):
        return listed.item(places)
    position, item = next(places)
    return NOTHING if position < 0 else item


def items_of(listed: Listed, look_up: LookUp) -> Sequence[object]:
    """Return the items of the whole list. Raises TypeError if a result is not a list or dict."""
    value = listed.whole(look_up)
    if (length := length_of(value)) is None:
        kind = type(value).__name__
        raise TypeError(f"{listed.described()} is {kind}, not a list or dict")
    return [item_at(value, at) for at in range(length)] if isinstance(value, dict) else value  # type: ignore[return-value]


def checked(parts: Sequence[object], word: str) -> tuple[Listed, ...]:
    """Return the parts as lists. Raises BadSpec for what is none."""
    found: list[Listed] = []
    for part in parts:
        output = getattr(part, "output", part)  # of an operator's task
        if not isinstance(output, Listed):
            raise wrong(
                f"{word} needs results of tasks, not {part!r}",
                "let a task return the list" if isinstance(part, (list, tuple, dict)) else None,
            )
        if isinstance(output, XComArg) and output.key != RESULT_KEY:
            raise wrong(
                f"{word} needs a whole result, not {part!r}",
                "let the upstream task return only that list",
            )
        found.append(output)
    return tuple(found)


def wrong(message: str, hint: str | None) -> BadSpec:
    site = call_site()
    return BadSpec(message, file=site.file, line=site.line, hint=hint)
