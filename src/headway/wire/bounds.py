"""Bounds of what is asked for. A service refuses what is beyond them in its own words; this tells the document."""

from typing import Annotated, Any, Final

import msgspec

INT32_MAX: Final = 2**31 - 1


def said(**schema: Any) -> msgspec.Meta:
    """Keywords of JSON Schema, for the document alone."""
    return msgspec.Meta(extra_json_schema={"extra": schema})


Count = Annotated[int, msgspec.Meta(ge=1, le=INT32_MAX)]
Index = Annotated[int, msgspec.Meta(ge=-1, le=INT32_MAX)]
# A day (2013-01-31), which is all of it in the zone of the DAG, or a moment in ISO 8601.
Date = Annotated[str, msgspec.Meta(max_length=100)]
Id = Annotated[str, msgspec.Meta(max_length=250)]
