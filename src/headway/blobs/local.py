"""A folder as a store: ``file:///folder``. Each key is a file below it."""

from urllib.parse import SplitResult

from headway.blobs.base import Blobs, Purpose
from headway.blobs.trouble import first_line
from headway.errors import UsageError


def opened(url: SplitResult, purpose: Purpose) -> Blobs:
    """Make the folder where there is none. Raises UsageError."""
    from obstore.exceptions import BaseError
    from obstore.store import LocalStore

    if url.netloc or not url.path.startswith("/") or url.path == "/":
        raise UsageError(
            f"{url.geturl()!r} is not a folder of this machine",
            where=purpose.variable,
            hint=purpose.form,
        )
    try:
        store = LocalStore(url.path, mkdir=True, automatic_cleanup=True)
    except (BaseError, OSError) as error:
        raise UsageError(
            f"cannot create the folder of the {purpose.noun}: {first_line(error)}", where=url.path
        ) from error
    return Blobs(url.geturl(), purpose, store, keeps_types=False)
