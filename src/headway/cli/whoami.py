"""``headway whoami``: show who you are signed in as, what you may do, and why."""

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.roles import Verb


def whoami(data: Data = None, output: Format = Output.TABLE) -> None:
    """Show your user, team and role, and what you may do here. Says why, too."""
    from headway.client import client_of

    session = client_of(config.layout(data)).session()
    row = (session.user.name, session.user.display_name, session.team, session.role)
    show(session, output, ("USER", "NAME", "TEAM", "ROLE", "EXPIRES"), [(*row, session.expires_at)])
    if output is Output.TABLE:
        for each in explained(session):
            say(each)


def explained(session: wire.Session) -> list[str]:
    """Return what the session may do, what it may not, and where both come from."""
    lacking = [verb for verb in Verb if verb not in session.verbs]
    by = "a token" if session.via.startswith("token:") else f"the role {session.role}"
    told = [f"you may, by {by}: {', '.join(session.verbs) or 'nothing'}"]
    if session.dag_ids is not None:
        told.append(f"only for these DAGs: {', '.join(session.dag_ids)}")
    if lacking:
        told.append(f"you may not: {', '.join(lacking)}; an admin of the team can give you more")
    if session.is_platform_admin:
        told.append("you are a platform admin: you may create, change and delete teams")
    return told
