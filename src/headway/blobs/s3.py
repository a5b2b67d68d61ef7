"""S3, or whatever speaks its language: ``s3://bucket/prefix``. ``AWS_…`` variables say the rest."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Final
from urllib.parse import SplitResult

from headway.blobs.base import Blobs, Purpose
from headway.blobs.trouble import first_line
from headway.errors import UsageError

CONNECT_S: Final = 3.0
RETRY_S: Final = 3.0


def opened(
    url: SplitResult, purpose: Purpose, variables: Mapping[str, str], request_s: float
) -> Blobs:
    """``variables``: of the environment, as ``chosen`` picks them. Raises UsageError."""
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    try:
        with only(variables, purpose):
            store = S3Store.from_url(
                url.geturl(),
                client_options={
                    "connect_timeout": timedelta(seconds=CONNECT_S),
                    "timeout": timedelta(seconds=request_s),
                    "allow_http": True,
                },
                retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=RETRY_S)},
            )
    except (BaseError, OSError, ValueError) as error:
        raise UsageError(
            f"cannot use the {purpose.noun}: {first_line(error)}",
            where=url.geturl(),
            hint="set both AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or neither",
        ) from error
    return Blobs(url.geturl(), purpose, store, keeps_types=True)


def chosen(environment: Mapping[str, str], purpose: Purpose) -> dict[str, str]:
    """The variables that are the store's: its own, or if it has none those of everybody.

    ``HEADWAY_LOG_STORE_AWS_ACCESS_KEY_ID`` goes before ``AWS_ACCESS_KEY_ID``.
    """
    own = {
        name: value
        for name, value in environment.items()
        if name.startswith(f"{purpose.variable}_")
    }
    return own or {name: value for name, value in environment.items() if name.startswith("AWS_")}


@contextmanager
def only(variables: Mapping[str, str], purpose: Purpose) -> Iterator[None]:
    """Set these as ``AWS_…``, and no others: the library reads the environment of its process."""
    before = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    for name in before:
        del os.environ[name]
    given = {name.removeprefix(f"{purpose.variable}_"): each for name, each in variables.items()}
    os.environ.update(given)
    try:
        yield
    finally:
        for name in given:
            del os.environ[name]
        os.environ.update(before)
