"""Secrets a task tells Headway about, so that they are masked in its log."""

from collections.abc import Callable


def nobody_listens(values: list[str]) -> None:
    """Outside of a running attempt there is no log to mask."""


# Set by the process that runs an attempt.
announce: Callable[[list[str]], None] = nobody_listens


def mask_secret(value: str) -> None:
    """From now on show ``***`` for ``value`` in the log: also as base64, hex, URL-encoded, JSON-escaped."""
    announce([value])
