"""``headway migrate``: upgrade the database schema."""

import os
from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, DatabaseUrl
from headway.cli.terminal import say


def migrate(
    data: Data = None,
    database_url: DatabaseUrl = None,
    prepare: Annotated[
        bool,
        typer.Option(
            "--prepare",
            help="Also make what components that run by themselves need: master key, token, local admin and teams.",
        ),
    ] = False,
    team: Annotated[
        list[str] | None,
        typer.Option("--create-team", help="With --prepare: a team to create. Can be repeated."),
    ] = None,
) -> None:
    """Upgrade the database schema to this version. `headway up` does this automatically."""
    from headway.store.migrate import migrate as apply

    if prepare or team:
        from headway.cli.shared import shared
        from headway.up.apart import prepare as make

        applied = make(shared(data, database_url), tuple(team or ()))
    elif database_url is not None:
        applied = apply(database_url)
        advise(database_url)
    else:
        from headway.pg import Server

        layout = config.layout(data)
        layout.prepare()
        lock = config.Lock(layout)
        lock.acquire()
        with Server(layout.data).running() as dsn:
            applied = apply(dsn)
        lock.release()
    for name in applied:
        say(f"applied {name}")
    say("the database is up to date")


def advise(database_url: str) -> None:
    """Print what an administrator must run, as long as the API has no login of its own."""
    from headway.store import api_login

    url = os.environ.get(api_login.VARIABLE)
    if weakness := api_login.external(database_url, url, "migrate").weakness:
        say(weakness)
