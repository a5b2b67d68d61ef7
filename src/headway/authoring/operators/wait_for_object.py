"""``wait_for_object(task_id=…, url="s3://bucket/day={{ ds }}/*.parquet")``: looks again and again for an object.

The URL names one object, or with ``*`` and ``?`` those that match it. Between two looks the process ends and the slot
is free. The result is the URLs that were found. ``conn_id`` is a connection of type ``aws`` with Airflow's fields
(login and password are the keys; extras ``region_name``, ``endpoint_url``, ``aws_session_token``); without one the
environment of the task says what it is (``AWS_…``). The other options are those of ``@task.sensor``.
"""

import re
from datetime import timedelta
from fnmatch import translate
from typing import Any, Final
from urllib.parse import urlsplit

from headway.authoring.operators import sensor
from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.sql import text_of
from headway.authoring.run import Fail
from headway.authoring.secrets import connection
from headway.core.connections import Connection

WORD: Final = "wait_for_object"
FOUND_MAX: Final = 1_000
WILD: Final = re.compile(r"[*?\[]")
CONNECT_S: Final = 5.0
REQUEST_S: Final = 30.0
# What a connection has, by the word of the store.
EXTRAS: Final = {
    "region": "region_name",
    "endpoint": "endpoint_url",
    "session_token": "aws_session_token",
}


class StoreFailed(Exception):
    """The store refused, or was not reached."""


def run(call: Call) -> object:
    return sensor.look(sensor.of_arguments(WORD, call.kwargs), call, objects)


def objects(call: Call) -> list[str] | None:
    """Return the URLs of the objects that are there. Raises StoreFailed."""
    url, conn_id = text_of("url", call.kwargs["url"]), call.kwargs.get("conn_id")
    bucket, _ = place_of(url)
    config = {} if conn_id is None else config_of(connection(text_of("conn_id", conn_id)))
    keys = sorted(each["path"] for each in found(url, opened(bucket, config), FOUND_MAX))
    return [f"s3://{bucket}/{each}" for each in keys] or None


def found(url: str, store: Any, most: int) -> list[Any]:
    """Return what is known of the objects that match a URL. Raises StoreFailed, and Fail: they are too many."""
    import obstore
    from obstore.exceptions import BaseError

    bucket, key = place_of(url)
    try:
        if not WILD.search(key):
            return [obstore.head(store, key)]
        return matching(obstore.list(store, prefix_of(key)), key, most)
    except FileNotFoundError:
        return []
    except BaseError as error:
        first = next((line for line in str(error).splitlines() if line.strip()), "")
        raise StoreFailed(f"s3://{bucket}: {first.strip() or type(error).__name__}") from None


def place_of(url: str) -> tuple[str, str]:
    """Return bucket and key. Raises Fail."""
    parts = urlsplit(url)
    key = url.partition("://")[2].partition("/")[2]
    if parts.scheme not in ("s3", "s3a") or not parts.netloc or not key:
        raise Fail(f"url must be like s3://bucket/key, not {url!r}")
    return parts.netloc, key


def prefix_of(pattern: str) -> str | None:
    """Return the folder in which all that match lie; None: the whole bucket."""
    wild = WILD.search(pattern)
    return pattern[: wild.start() if wild else None].rpartition("/")[0] or None


def matching(pages: Any, pattern: str, most: int) -> list[Any]:
    fits, found = re.compile(translate(pattern)), list[Any]()
    for page in pages:
        found += [each for each in page if fits.match(each["path"])]
        if len(found) > most:
            raise Fail(f"more than {most:,} objects match {pattern!r}; narrow it")
    return found


def opened(bucket: str, config: Any) -> Any:
    """Return the bucket, as a connection or, without one, the environment says. Raises StoreFailed."""
    from obstore.exceptions import BaseError
    from obstore.store import S3Store

    try:
        return S3Store(
            bucket,
            config=config,
            client_options={
                "connect_timeout": timedelta(seconds=CONNECT_S),
                "timeout": timedelta(seconds=REQUEST_S),
                "allow_http": True,
            },
            retry_config={"max_retries": 1, "retry_timeout": timedelta(seconds=REQUEST_S)},
        )
    except (BaseError, ValueError) as error:
        raise StoreFailed(f"cannot use s3://{bucket}: {str(error).splitlines()[0]}") from None


def config_of(found: Connection) -> Any:
    """Raises Fail."""
    if found.conn_type not in ("aws", "s3"):
        raise Fail(
            f"a store needs a connection of type aws; {found.conn_id!r} is of type {found.conn_type!r}"
        )
    given = {name: found.extra.get(extra) for name, extra in EXTRAS.items()}
    given["access_key_id"] = found.login or found.extra.get("aws_access_key_id")
    given["secret_access_key"] = found.password or found.extra.get("aws_secret_access_key")
    return {name: str(value) for name, value in given.items() if value}


OPERATOR = Operator(
    word=WORD,
    parameters=("url", "conn_id", *sensor.OPTIONS),
    required=("url",),
    run=run,
    templated=("url", "conn_id"),
)
