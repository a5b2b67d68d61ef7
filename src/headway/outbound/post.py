"""One POST to a URL that a team chose: its address is checked when it is connected to, redirects are not followed, and
time and size are limited. Nothing of the environment (proxies, credentials) takes part.
"""

import asyncio
import ssl
from asyncio import StreamReader, StreamWriter, open_connection
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from socket import SOCK_STREAM, gaierror
from typing import Final
from urllib.parse import SplitResult, urlsplit

import h11

from headway import clock
from headway.core.outbound import Network, may_reach
from headway.outbound.addresses import VARIABLE

CONNECT_S: Final = 5.0  # for each address of a host
TIME_OUT_S: Final = 15.0  # for all of it
ADDRESSES_MAX: Final = 3
READ_BYTES_MAX: Final = 64 * 1024
ANSWER_CHARS_MAX: Final = 500
PORTS: Final = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Answer:
    """The end of a request. ``trouble``: why it does not count as delivered."""

    code: int | None
    trouble: str | None
    text: str | None
    took_ms: int


class NotSent(Exception):
    """The request was not sent; says why."""


async def post(
    url: str, headers: Mapping[str, str], body: bytes, allowed: Sequence[Network]
) -> Answer:
    """Send a request. Never raises for what the other side does."""
    began = clock.monotonic()
    code, text, trouble = None, None, None
    try:
        async with asyncio.timeout(TIME_OUT_S):
            code, text = await exchange(urlsplit(url), headers, body, allowed)
        trouble = trouble_of(code)
    except TimeoutError:
        trouble = f"it did not answer within {TIME_OUT_S:g} s"
    except NotSent as error:
        trouble = str(error)
    except ssl.SSLCertVerificationError as error:
        trouble = f"its certificate is not valid: {error.verify_message}"
    except h11.RemoteProtocolError:
        trouble = "what it answered is not HTTP"
    except (OSError, ValueError) as error:
        trouble = f"the connection failed: {getattr(error, 'strerror', None) or error}"
    if trouble is not None:
        trouble = readable(trouble.encode(errors="replace"))
    return Answer(code, trouble, text, round((clock.monotonic() - began) * 1000))


def trouble_of(code: int) -> str | None:
    if 200 <= code < 300:
        return None
    if 300 <= code < 400:
        return f"it answered {code}, and redirects are not followed: give the URL to which it leads"
    return f"it answered {code}"


async def exchange(
    to: SplitResult, headers: Mapping[str, str], body: bytes, allowed: Sequence[Network]
) -> tuple[int, str]:
    """Return the status and the beginning of the answer."""
    reader, writer = await connect(to, allowed)
    try:
        http = h11.Connection(h11.CLIENT)
        for event in request(to, headers, body):
            writer.write(http.send(event) or b"")
        await writer.drain()
        return await answer(http, reader)
    finally:
        writer.transport.abort()


def request(
    to: SplitResult, headers: Mapping[str, str], body: bytes
) -> tuple[h11.Request, h11.Data, h11.EndOfMessage]:
    sent = {
        "host": to.netloc,
        **headers,
        "content-length": str(len(body)),
        "connection": "close",
    }
    target = (to.path or "/") + (f"?{to.query}" if to.query else "")
    asked = h11.Request(method="POST", target=target, headers=list(sent.items()))
    return asked, h11.Data(data=body), h11.EndOfMessage()


async def answer(http: h11.Connection, reader: StreamReader) -> tuple[int, str]:
    """Read until the end, or as much as is shown."""
    code, found, read = None, b"", 0
    while True:
        event = http.next_event()
        match event:
            case h11.NEED_DATA:
                data = await reader.read(4096)
                read += len(data)
                http.receive_data(data)
            case h11.Response():
                code = event.status_code
            case h11.Data():
                found += event.data
            case h11.InformationalResponse():
                pass
            case _:
                break
        if len(found) >= ANSWER_CHARS_MAX or read > READ_BYTES_MAX:
            break
    if code is None:
        raise h11.RemoteProtocolError("no status")
    return code, readable(found)


def readable(found: bytes) -> str:
    """Return an answer as the database can hold it and a page can show it."""
    text = found.decode(errors="replace")
    return "".join(c if c.isprintable() else " " for c in text).strip()[:ANSWER_CHARS_MAX]


async def connect(to: SplitResult, allowed: Sequence[Network]) -> tuple[StreamReader, StreamWriter]:
    """Connect to an address of the host that may be reached: to the one that was checked, not to its name."""
    host = to.hostname or ""
    port = to.port or PORTS[to.scheme]
    trouble: Exception = NotSent("its host has no address")
    for address in await addresses(host, port, allowed):
        try:
            async with asyncio.timeout(CONNECT_S):
                return await open_connection(
                    address,
                    port,
                    ssl=trust() if to.scheme == "https" else None,
                    server_hostname=host if to.scheme == "https" else None,
                )
        except ssl.SSLError:
            raise
        except TimeoutError:
            trouble = NotSent(f"{address} did not accept a connection within {CONNECT_S:g} s")
        except OSError as error:
            trouble = error
    raise trouble


async def addresses(host: str, port: int, allowed: Sequence[Network]) -> list[str]:
    """Return the addresses of a host that may be reached. Raises NotSent if none may."""
    try:
        found = await resolved(host, port)
    except (gaierror, UnicodeError):
        raise NotSent(f"there is no host {host}") from None
    if open_ones := [address for address in found if may_reach(address, allowed)]:
        return open_ones[:ADDRESSES_MAX]
    raise NotSent(  # not which address it has: what names mean inside is nobody's business
        f"{host} has no public address; the operator can allow its network with {VARIABLE}"
    )


async def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a name. Raises gaierror, UnicodeError."""
    infos = await asyncio.get_running_loop().getaddrinfo(host, port, type=SOCK_STREAM)
    return list(dict.fromkeys(str(info[4][0]) for info in infos))


@cache
def trust() -> ssl.SSLContext:
    return ssl.create_default_context()
