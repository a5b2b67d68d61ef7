"""Amounts of resources as Kubernetes writes them: ``500m``, ``2``, ``512Mi``, ``4Gi``. Pure."""

import re
from decimal import Decimal
from typing import Final

QUANTITY: Final = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
UNITS: Final = {
    "": Decimal(1),
    "m": Decimal("0.001"),
    **{unit: Decimal(1000) ** power for power, unit in enumerate("kMGTPE", 1)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def text_like(found: Decimal, pattern: str) -> str:
    """Return an amount in the unit in which ``pattern`` is written, with at most two decimals."""
    match = QUANTITY.fullmatch(pattern)
    unit = "" if match is None else match[2] or ""
    return f"{(found / UNITS[unit]).quantize(Decimal('0.01')).normalize():f}{unit}"


def amount(text: str) -> Decimal | None:
    """Return the amount, or None if the text is none."""
    found = QUANTITY.fullmatch(text)
    return None if found is None else Decimal(found[1]) * UNITS[found[2] or ""]
