"""The store that a URL names."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from headway.blobs import local, s3
from headway.blobs.base import Blobs, Purpose
from headway.errors import UsageError

REQUEST_S: Final = 30.0


def open_blobs(
    url: str, purpose: Purpose, variables: Mapping[str, str], request_s: float = REQUEST_S
) -> Blobs:
    """Open a store without asking it anything yet. ``request_s``: how long one request may take.

    Raises UsageError for a URL that names no store.
    """
    parts = urlsplit(url)
    if not parts.query and not parts.fragment:
        match parts.scheme:
            case "file" if parts.path.startswith("/"):
                return local.opened(parts, purpose)
            case "s3" if parts.netloc:
                return s3.opened(parts, purpose, variables, request_s)
    raise UsageError(
        f"{url!r} is not a valid {purpose.noun} URL", where=purpose.variable, hint=purpose.form
    )
