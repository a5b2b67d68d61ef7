"""``headway loader``: the loader of a team."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Dags, HealthPort, with_settings
from headway.cli.shared import shared as read_shared
from headway.errors import UsageError
from headway.up.shared import Shared


@with_settings("shared", read_shared)
def loader(
    team: Annotated[
        str, typer.Option(envvar=config.ASKED_TEAM, help="Team whose DAGs the folder holds.")
    ],
    shared: Shared,
    dags: Dags = None,
    health_port: HealthPort = None,
) -> None:
    """Load the DAGs of a team from its DAG folder. Runs until it is stopped."""
    from headway.up.apart import load
    from headway.up.vital import Vital, answer_on

    folder = dags or config.default_dags()
    if not folder.is_dir():
        raise UsageError(
            "the DAG folder does not exist",
            where=str(folder),
            hint="create it, or choose another with --dags",
        )
    if health_port is not None:
        answer_on(health_port, Vital().trouble)
    load(shared, folder, team)
