"""Bounds of request fields, for the OpenAPI document. The services enforce them with their own messages."""

from typing import Annotated, Any, Final

import msgspec

INT32_MAX: Final = 2**31 - 1


def said(**schema: Any) -> msgspec.Meta:
    """Return keywords of JSON Schema that only the document uses."""
    return msgspec.Meta(extra_json_schema={"extra": schema})


Count = Annotated[int, msgspec.Meta(ge=1, le=INT32_MAX)]
Index = Annotated[int, msgspec.Meta(ge=-1, le=INT32_MAX)]
# A day (2013-01-31), which is all of it in the zone of the DAG, or a moment in ISO 8601.
Date = Annotated[str, msgspec.Meta(max_length=100)]
Id = Annotated[str, msgspec.Meta(max_length=250)]
