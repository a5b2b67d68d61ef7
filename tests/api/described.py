"""The OpenAPI document, built once in a test process: that takes as long as fifty tests."""

from functools import cache
from typing import Any

from headway.api import document as builder


@cache
def document() -> dict[str, Any]:
    """The one that all read: change a copy."""
    return builder.document()
