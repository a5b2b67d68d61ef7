"""ETag and If-None-Match: answer 304 to a client that has the current answer."""

from contextvars import ContextVar
from hashlib import blake2b
from typing import Any, Final

import msgspec
from litestar import Request, Response

given: Final[ContextVar[str | None]] = ContextVar("if_none_match", default=None)


async def expect(request: Request[Any, Any, Any]) -> None:
    """Note the request's If-None-Match before its route runs."""
    given.set(request.headers.get("if-none-match", "") if request.method == "GET" else None)


def tagged(response: Response[Any]) -> Response[Any]:
    """Add the ETag to a JSON answer to a GET, and drop the body if the client has it."""
    known = given.get()
    if known is None or response.status_code != 200 or not isinstance(response.content, JSON):
        return response
    body = msgspec.json.encode(response.content)
    tag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
    if tag in known.replace(" ", "").split(","):
        return Response(b"", status_code=304, headers={"ETag": tag})
    headers = {**response.headers, "ETag": tag}
    return Response(body, media_type="application/json", headers=headers)


JSON: Final = (msgspec.Struct, dict, list)
