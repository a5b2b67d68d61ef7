"""``headway whoami``: who the server takes you for."""

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show


def whoami(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show who you are to the server, in which team, and what you may do there."""
    from headway.client import client_of

    session = client_of(config.layout(data)).session()
    row = (session.user.name, session.user.display_name, session.team, session.role)
    show(session, output, ("USER", "NAME", "TEAM", "ROLE", "EXPIRES"), [(*row, session.expires_at)])
