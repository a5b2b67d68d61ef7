"""``headway shipper``: what copies logs to the log store."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import LOG_STORE, Data, HealthPort


def shipper(
    log_store: Annotated[str, LOG_STORE],
    data: Data = None,
    health_port: HealthPort = None,
) -> None:
    """Copy logs from the data directory to the log store. One for an install."""
    from headway.logs.__main__ import ship
    from headway.up.logstore import log_store as opened
    from headway.up.vital import Vital, answer_on

    layout = config.layout(data)
    layout.prepare()
    lock = config.Lock(layout)
    lock.join("headway shipper")
    if health_port is not None:
        answer_on(health_port, Vital().trouble)
    code = ship(opened(log_store).line, layout.data)
    lock.release()
    if code != 0:
        raise typer.Exit(code)
