"""Partitions of assets: periods on the clock of a zone, keys, and how keys of one asset become those of a run.

Pure. A key is a text that names a part of an asset's data: ``2026-01-31T05``, ``eu``, ``eu|2026-01-31``.
"""

from headway.core.partitions.mappers import Mapper, read
from headway.core.partitions.periods import Period, Span
from headway.core.partitions.words import BadKey, BadMapping

__all__ = ("BadKey", "BadMapping", "Mapper", "Period", "Span", "read")
