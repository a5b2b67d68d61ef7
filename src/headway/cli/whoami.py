"""``headway whoami``: show who you are signed in as."""

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show


def whoami(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show your user, team and role."""
    from headway.client import client_of

    session = client_of(config.layout(data)).session()
    row = (session.user.name, session.user.display_name, session.team, session.role)
    show(session, output, ("USER", "NAME", "TEAM", "ROLE", "EXPIRES"), [(*row, session.expires_at)])
