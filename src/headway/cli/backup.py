"""``headway backup``: the database as one file."""

from headway import clock, config
from headway.cli.options import Data, DatabaseUrl
from headway.cli.output import line


def backup(data: Data = None, database_url: DatabaseUrl = None) -> None:
    """Write a backup of the database to the data directory. The server may be running."""
    from headway.pg import Server
    from headway.store.backup import backup as write

    layout = config.layout(data)
    name = f"headway-{clock.now():%Y%m%d-%H%M%S}"
    dsn = database_url if database_url is not None else Server(layout.data).dsn
    if database_url is not None or config.is_held(layout):
        line(str(write(dsn, layout.backups, name)))
        return
    layout.prepare()
    with Server(layout.data).running() as dsn:
        line(str(write(dsn, layout.backups, name)))
