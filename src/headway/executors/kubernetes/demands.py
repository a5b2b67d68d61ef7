"""The resources of an attempt: those of its task, with parameters filled in, and more memory where it ran out. Pure."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from headway.core.quantities import amount
from headway.core.resource_params import filled_in, flaw_of_amount
from headway.executors.kubernetes.final import Denied

MIB: Final = Decimal(1024) ** 2


def resources(
    usual: Mapping[str, str],
    wanted: Mapping[str, str],
    params: Mapping[str, Any],
    *,
    factor: float = 1.0,
    out_of_memory: int = 0,
    memory_most: str | None = None,
) -> dict[str, str]:
    """Return the amounts of one attempt. Raises Denied if a parameter is not an amount.

    ``out_of_memory``: attempts of the same task instance before it that had too little memory; ``memory_most``: more
    than that is not asked for because of them.
    """
    found = {**usual, **filled_in(wanted, params)}
    for name, text in found.items():
        if (why := flaw_of_amount(name, text)) is not None:
            raise Denied(why)
    if out_of_memory and factor > 1 and (first := amount(found.get("memory", ""))) is not None:
        found["memory"] = grown(first, factor, out_of_memory, found["memory"], memory_most)
    return found


def grown(first: Decimal, factor: float, times: int, text: str, most: str | None) -> str:
    limit = amount(most or "")
    if limit is not None and limit <= first:
        return text
    wanted = first
    for _ in range(min(times, 64)):
        wanted *= Decimal(str(factor))
        if limit is not None and wanted >= limit:
            return most or text
    return f"{max(1, int(wanted / MIB))}Mi"


def smaller(*amounts: str | None) -> str | None:
    """Return the smallest of the amounts that are given."""
    given = [text for text in amounts if text is not None and amount(text)]
    return min(given, key=lambda text: amount(text) or Decimal(0)) if given else None
