"""``headway secrets``: the master keys that protect connections and variables."""

import typer

from headway import config
from headway.cli.options import Data
from headway.cli.terminal import say
from headway.core.words import counted

app = typer.Typer(no_args_is_help=True, help="Master keys of secrets.")


@app.callback()
def root() -> None:
    """Master keys of secrets."""


@app.command("rotate")
def rotate(data: Data = None) -> None:
    """Make a new master key, and protect all secrets with it. Tasks go on meanwhile.

    Older keys stay in the key file, because older backups need them.
    """
    from headway.client import client_of

    done = client_of(config.layout(data)).rotate_secrets()
    say(f"master key {done.key_id} now protects {counted(done.rewrapped, 'more secret')}")
