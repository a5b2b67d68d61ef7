"""Parameters with their bounds, declared once: documented by OpenAPI, enforced by the framework.

A route itself refuses values that only it can check, such as a state or a time zone; ``one_of``
lists the valid values in the document.
"""

from collections.abc import Iterable
from typing import Annotated, Final

from litestar.params import PathParameter, QueryParameter

from headway.store.views import pages

INT32_MAX: Final = 2**31 - 1
INT64_MAX: Final = 2**63 - 1
ID_CHARS_MAX: Final = 250  # an id is the name of a folder, and file systems end at 255
TEXT_CHARS_MAX: Final = 500
PATH_CHARS_MAX: Final = 1_000
POSITION_CHARS_MAX: Final = 4_000


def up_to(most: float, least: int = 1, name: str | None = None) -> QueryParameter:
    # In the framework's document a bound of 0 is left out, and a large one is rounded.
    exact = {"minimum": least, "maximum": most}
    return QueryParameter(name=name, ge=least, le=most, schema_extra=exact)


Id = Annotated[str, PathParameter(min_length=1, max_length=ID_CHARS_MAX)]
Number = Annotated[int, PathParameter(ge=1, le=INT32_MAX)]

IdFilter = Annotated[str | None, QueryParameter(max_length=ID_CHARS_MAX)]
TextFilter = Annotated[str | None, QueryParameter(max_length=TEXT_CHARS_MAX)]
FileName = Annotated[str | None, QueryParameter(max_length=PATH_CHARS_MAX)]
Zone = Annotated[str | None, QueryParameter(max_length=100)]
MapIndex = Annotated[int | None, up_to(INT32_MAX, -1)]
Attempt = Annotated[int | None, up_to(INT32_MAX)]
# A day (2013-01-31), or a moment in ISO 8601.
Since = Annotated[str | None, QueryParameter(name="from", max_length=100)]
Until = Annotated[str | None, QueryParameter(name="to", max_length=100)]

Limit = Annotated[int, up_to(pages.LIMIT_MAX)]
Cursor = Annotated[str | None, QueryParameter(max_length=POSITION_CHARS_MAX)]
Wait = Annotated[float, up_to(60.0, 0)]
EventNumber = Annotated[int, up_to(INT64_MAX, 0)]


def one_of(words: Iterable[str], name: str | None = None) -> QueryParameter:
    return QueryParameter(name=name, schema_extra={"enum": sorted(words)})
