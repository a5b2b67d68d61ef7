"""``headway api``: one API server, of any number."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Dags, with_settings
from headway.cli.shared import shared as read_shared
from headway.cli.up import LogStore, Port
from headway.up.shared import Shared


@with_settings("shared", read_shared)
def api(
    shared: Shared,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = config.HOST,
    port: Port = config.PORT,
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="HEADWAY_PUBLIC_URL",
            help="Public URL, if the server is behind a proxy: https://headway.example.org",
        ),
    ] = None,
    api_rate: Annotated[
        int,
        typer.Option(
            min=1,
            envvar="HEADWAY_API_RATE",
            help="Maximum requests per second for each user or token, at each API server.",
        ),
    ] = config.API_RATE,
    log_store: LogStore = None,
    dags: Dags = None,
) -> None:
    """Serve the API and the web interface. Any number of API servers run at once."""
    from headway.identity.settings import from_environment
    from headway.up.apart import ApiSettings, serve_api
    from headway.up.logstore import log_store as opened

    settings = ApiSettings(
        host=host,
        port=port,
        public_url=None if public_url is None else config.checked_public_url(public_url),
        api_rate=api_rate,
        dags=dags or config.default_dags(),
        sign_in=from_environment(),
    )
    serve_api(shared, settings, None if log_store is None else opened(log_store))
