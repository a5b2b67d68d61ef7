"""``headway shipper``: what copies logs to the log store."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, HealthPort


def shipper(
    log_store: Annotated[
        str,
        typer.Option(
            envvar="HEADWAY_LOG_STORE",
            help="Log store to copy logs to: s3://bucket/prefix or file:///folder",
        ),
    ],
    data: Data = None,
    health_port: HealthPort = None,
) -> None:
    """Copy logs from the data directory to the log store. One for an install."""
    from headway.logs.__main__ import ship
    from headway.up.logstore import log_store as opened
    from headway.up.vital import Vital, answer_on

    layout = config.layout(data)
    layout.prepare()
    if health_port is not None:
        answer_on(health_port, Vital().trouble)
    if (code := ship(opened(log_store).line, layout.data)) != 0:
        raise typer.Exit(code)
