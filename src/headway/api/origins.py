"""Checks the origin of browser requests: only our own pages may change anything with a cookie.

Browsers send it in ``Sec-Fetch-Site``, older ones in ``Origin``; no page can forge either. The
cookie is also SameSite=Strict, and bodies must be JSON, which no form of another site can send.
"""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
HERE: Final = frozenset({"same-origin", "none"})  # none: typed into the address bar


def is_from_here(headers: Mapping[str, str], *, unknown: bool) -> bool:
    """Return whether the request is from our pages; ``unknown`` if the headers do not say."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        return site in HERE
    origin = headers.get("origin")
    if origin is None:
        return unknown
    return urlsplit(origin).netloc.lower() == headers.get("host", "").lower() != ""


def has_foreign_body(headers: Mapping[str, str]) -> bool:
    """Return whether the body's Content-Type is missing or not JSON."""
    has_body = headers.get("content-length", "0") != "0" or "transfer-encoding" in headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    return has_body and kind != "application/json"
