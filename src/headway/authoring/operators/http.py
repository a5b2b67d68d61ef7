"""``http(task_id=…, url=…)``: one HTTP request. The result is the answer's body, parsed where it is JSON.

An answer other than 2xx fails the attempt, which its retries repeat. A redirect is followed on the same host only, so
that credentials never travel to another one.
"""

import base64
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException, HTTPMessage
from typing import IO, Any, Final
from urllib.parse import urlsplit

from headway.authoring.operators.base import Call, Operator
from headway.authoring.rendered import show
from headway.authoring.run import Fail
from headway.authoring.secrets import connection
from headway.core.connections import Connection

METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
TIMEOUT_S: Final = 60.0
BODY_BYTES_MAX: Final = 100_000_000  # of a result
SHOWN_CHARS: Final = 300


class RequestFailed(Exception):
    """The server did not answer, or not with 2xx."""


class SameHost(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        if origin_of(newurl) != origin_of(req.full_url):
            fp.close()
            raise RequestFailed(
                f"{req.full_url} redirects to another host, {newurl}; if that is right, use it as the url"
            )
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def run(call: Call) -> object:
    request = request_of(call.kwargs)
    show(request=f"{request.get_method()} {request.full_url}")
    return body_of(*answer_to(request, timeout_of(call.kwargs.get("timeout"))))


def request_of(given: Mapping[str, Any]) -> urllib.request.Request:
    found = None if given.get("conn_id") is None else connection(given["conn_id"])
    url = url_of(given.get("url"), found)
    method = str(given.get("method") or "GET").upper()
    if method not in METHODS:
        raise Fail(f"method must be one of {', '.join(METHODS)}, not {method!r}")
    headers = {**headers_of(found), **mapping_of("headers", given.get("headers"))}
    body = given.get("data")
    if given.get("json") is not None:
        if body is not None:
            raise Fail("give either data or json, not both")
        body = json.dumps(given["json"])
        headers.setdefault("Content-Type", "application/json")
    if isinstance(body, str):
        body = body.encode()
    if not (body is None or isinstance(body, bytes)):
        raise Fail(f"data must be a string or bytes, not {type(body).__name__}; for JSON use json")
    try:
        return urllib.request.Request(url, body, headers, method=method)
    except ValueError as error:
        raise Fail(f"the request cannot be made: {error}") from None


def url_of(given: object, found: Connection | None) -> str:
    """Return an absolute URL: ``given``, below the address of the connection if it is relative."""
    url = "" if given is None else given
    if not isinstance(url, str):
        raise Fail(f"url must be a string, not {type(url).__name__}")
    if "://" not in url and found is not None and found.host:
        url = f"{address_of(found)}/{url.lstrip('/')}"
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Fail(
            f"url must begin with http:// or https://, or be a path below a connection with a host, not {url!r}"
        )
    return url


def address_of(found: Connection) -> str:
    """Return the address of a connection, read as Airflow reads it: ``schema`` is http or https."""
    host = str(found.host).rstrip("/")
    if "://" in host:
        scheme, _, host = host.partition("://")
    else:
        scheme = found.schema or ("https" if found.conn_type == "https" else "http")
    return f"{scheme}://{host}{f':{found.port}' if found.port else ''}"


def headers_of(found: Connection | None) -> dict[str, str]:
    """Return the extras of a connection, and its login and password as basic authentication."""
    if found is None:
        return {}
    headers = {name: str(value) for name, value in found.extra.items()}
    if found.login or found.password:
        pair = f"{found.login or ''}:{found.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    return headers


def mapping_of(name: str, value: object) -> dict[str, str]:
    if value is None:
        return {}
    if isinstance(value, Mapping):
        return {str(key): str(item) for key, item in value.items()}
    raise Fail(f"{name} must be a dict, not {type(value).__name__}")


def timeout_of(value: object) -> float:
    if value is None:
        return TIMEOUT_S
    if isinstance(value, int | float) and value > 0:
        return float(value)
    raise Fail(f"timeout must be a number of seconds, not {value!r}")


def origin_of(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def answer_to(request: urllib.request.Request, timeout_s: float) -> tuple[bytes, HTTPMessage]:
    asked = f"{request.get_method()} {request.full_url}"
    try:
        with urllib.request.build_opener(SameHost()).open(request, timeout=timeout_s) as answer:
            body: bytes = answer.read(BODY_BYTES_MAX + 1)
            print(f"{asked}: {answer.status} {answer.reason}, {len(body):,} bytes")
            headers: HTTPMessage = answer.headers
    except urllib.error.HTTPError as error:
        with error:
            said = error.read(4 * SHOWN_CHARS).decode("utf-8", "replace")[:SHOWN_CHARS].strip()
        wrong = f"{asked} was answered {error.code} {error.reason}{f': {said}' if said else ''}"
        raise RequestFailed(wrong) from None
    except urllib.error.URLError as error:
        raise RequestFailed(f"{asked} failed: {error.reason}") from None
    except ValueError as error:  # a header or URL that HTTP does not carry
        raise Fail(f"{asked} cannot be sent: {error}") from None
    except (OSError, HTTPException) as error:  # while it is read
        raise RequestFailed(f"{asked} failed: {error or type(error).__name__}") from None
    if len(body) > BODY_BYTES_MAX:
        raise Fail(f"{asked}: the answer is longer than {BODY_BYTES_MAX // 1_000_000} MB")
    return body, headers


def body_of(body: bytes, headers: HTTPMessage) -> object:
    """Return JSON as what it stands for, other bodies as text, an empty one as None."""
    if not body:
        return None
    kind = headers.get_content_type()
    if kind == "application/json" or kind.endswith("+json"):
        try:
            return json.loads(body)
        except ValueError as error:
            raise RequestFailed(f"the answer says it is {kind}, but is not: {error}") from None
    return body.decode(headers.get_content_charset("utf-8"), "replace")


OPERATOR = Operator(
    word="http",
    parameters=("url", "method", "headers", "data", "json", "conn_id", "timeout"),
    required=("url",),
    run=run,
    templated=("url", "headers", "data", "json", "conn_id"),
    guarded=("headers", "data", "json"),
)
