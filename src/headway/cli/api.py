"""``headway api``: one API server, of any number."""

from headway import config
from headway.cli.options import ApiRate, Dags, Host, LogStore, Port, PublicUrl, with_settings
from headway.cli.shared import shared as read_shared
from headway.up.shared import Shared


@with_settings("shared", read_shared)
def api(
    shared: Shared,
    host: Host = config.HOST,
    port: Port = config.PORT,
    public_url: PublicUrl = None,
    api_rate: ApiRate = config.API_RATE,
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
