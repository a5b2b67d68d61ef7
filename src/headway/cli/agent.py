"""``headway agent``: run the tasks of a team on this machine, for a server on another one."""

import os
import socket
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from headway.cli.options import HealthPort, Queues
from headway.cli.terminal import say

File = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="File with the CA certificates (PEM) to trust; default: the system's."
    ),
]


def refuse_servers(data: Path) -> None:
    """Raise UsageError for the data directory of a server: an agent would remove what the server keeps there."""
    from headway.config import DATA_MARK
    from headway.errors import UsageError

    if (data / DATA_MARK).exists():
        raise UsageError(
            "this is the data directory of a server, and an agent needs a folder of its own",
            where=str(data),
            hint="choose another folder with --data, such as --data .headway-agent "
            "(HEADWAY_DATA, if it is set, names that of the server)",
        )


def credentials(token_file: Path, ca: Path | None) -> tuple[str, str]:
    """Return the agent's token, and the certificates that it trusts ("": those of the system). Raises UsageError."""
    from headway.agent.__main__ import read_token
    from headway.errors import UsageError

    try:
        token = read_token(str(token_file))
        trusted = "" if ca is None else ca.read_text()
    except OSError as error:
        raise UsageError(f"cannot read it: {error.strerror}", where=str(error.filename)) from error
    if not token:
        raise UsageError(
            "the file has no token", where=str(token_file), hint="headway token create NAME --agent"
        )
    if ca is not None and not trusted.strip():  # the system's would be trusted in their place
        raise UsageError("the file has no certificates", where=str(ca))
    return token, trusted


def agent(
    server: Annotated[
        str,
        typer.Option(envvar="HEADWAY_AGENTS", help="Address for agents: tls://HOST:PORT."),
    ],
    token_file: Annotated[
        Path,
        typer.Option(metavar="FILE", help="File with the token: headway token create NAME --agent"),
    ],
    ca: File = None,
    data: Annotated[
        Path, typer.Option(envvar="HEADWAY_DATA", help="Folder for the files of tasks.")
    ] = Path(".headway-agent"),
    name: Annotated[str | None, typer.Option(help="Its name (default: that of the host).")] = None,
    slots: Annotated[
        int | None,
        typer.Option(min=1, help="Tasks that run at the same time (default: the processors)."),
    ] = None,
    queue: Queues = None,
    keytab: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="Keytab (Kerberos) from which its tasks have tickets.",
        ),
    ] = None,
    health_port: HealthPort = None,
    drain: Annotated[
        float,
        typer.Option(
            min=0,
            metavar="SECONDS",
            help="On SIGTERM, take no new task and wait so long for those that run (default: 0, end them: "
            "they are repeated elsewhere).",
        ),
    ] = 0.0,
) -> None:
    """Run the tasks of a team on this machine. Needs no shared folder and no database."""
    from headway.agent.__main__ import keep_tickets, prepare, serve
    from headway.agent.remote import RemoteAgent
    from headway.config import agents_address
    from headway.up.vital import Vital, answer_on

    address = agents_address(server)
    refuse_servers(data)
    token, trusted = credentials(token_file, ca)
    processes = slots or os.cpu_count() or 1
    prepare()
    found = RemoteAgent(
        address,
        data,
        name or socket.gethostname(),
        2 * processes,
        processes,
        token,
        queues=queue or ["default"],
    )
    found.trust(trusted)
    if keytab is not None:
        keep_tickets(found, keytab)
    if health_port is not None:
        answer_on(health_port, Vital().trouble)
    say(f"the agent runs up to {processes} tasks at the same time; Ctrl-C stops it")
    if (code := serve(found, partial(found.drain, drain) if drain else None)) != 0:
        raise typer.Exit(code)
