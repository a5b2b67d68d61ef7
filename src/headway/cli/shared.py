"""Options of the commands that each run one component of an install."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, DatabaseUrl, ListenAddress
from headway.errors import UsageError
from headway.up.shared import Shared, install_name, split


def shared(
    data: Data = None,
    database_url: DatabaseUrl = None,
    listen_address: ListenAddress = None,
    install: Annotated[
        str | None,
        typer.Option(
            envvar="HEADWAY_INSTALL",
            help="Name of the install, if its components are on several machines (default: the host name).",
        ),
    ] = None,
) -> Shared:
    if database_url is None:
        raise UsageError(
            "a component that runs by itself needs a PostgreSQL server that all components reach",
            where="--database-url",
            hint="set HEADWAY_DATABASE_URL, or use headway up, which starts everything",
        )
    if listen_address is not None:
        split(listen_address)
    return Shared(
        layout=config.layout(data),
        database_url=database_url,
        install=install_name(install),
        listen=listen_address,
    )
