"""HTTP: one GET of the base URL with login and headers. It follows no redirect, which could lead elsewhere."""

import base64
import http.client
import ssl
from typing import Final
from urllib.parse import urlsplit

from headway.core.connections import Connection
from headway.probes.failed import TIMEOUT_S, Failed
from headway.probes.tcp import reach

DENIED: Final = (401, 403)
BROKEN: Final = 500


def probe(connection: Connection) -> str:
    scheme, host, port, path = target(connection)
    reach(host, port)
    if scheme == "https":
        client: http.client.HTTPConnection = http.client.HTTPSConnection(
            host, port, timeout=TIMEOUT_S
        )
    else:
        client = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
    where = f"{scheme}://{host}:{port}{path}"
    try:
        client.request("GET", path, headers=headers(connection))
        status = client.getresponse().status
    except ssl.SSLError as error:
        raise Failed(f"{where} offers no valid TLS: {error.reason}") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Failed(f"{where} gave no valid answer: {type(error).__name__}") from None
    finally:
        client.close()
    if status in DENIED:
        raise Failed(f"{where} refused the login with status {status}")
    if status >= BROKEN:
        raise Failed(f"{where} answered with status {status}")
    return f"{where} answered with status {status}"


def target(connection: Connection) -> tuple[str, str, int, str]:
    """Return scheme, host, port and path. The host may be a URL, and the schema is the scheme, as in Airflow.

    Raises Failed.
    """
    if not connection.host:
        raise Failed("the connection has no host")
    scheme = connection.schema or "http"
    text = connection.host if "://" in connection.host else f"{scheme}://{connection.host}"
    try:
        parts = urlsplit(text)
        port = connection.port or parts.port
    except ValueError:
        raise Failed(f"the host {connection.host} is not a valid URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Failed(f"the host {connection.host} is not a valid URL of HTTP")
    return (
        parts.scheme,
        parts.hostname,
        port or (443 if parts.scheme == "https" else 80),
        parts.path or "/",
    )


def headers(connection: Connection) -> dict[str, str]:
    found = {name: value for name, value in connection.extra.items() if isinstance(value, str)}
    if connection.login or connection.password:
        pair = f"{connection.login or ''}:{connection.password or ''}"
        found["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
    return found
