"""``headway pool``: limit how many tasks run at the same time."""

from typing import Annotated

import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.words import counted

app = typer.Typer(no_args_is_help=True, help="Pools: limit how many tasks run at the same time.")


@app.command("ls")
def list_pools(data: Data = None, output: Format = Output.TABLE) -> None:
    """List pools with their used slots and waiting tasks."""
    from headway.client import client_of

    pools = client_of(config.layout(data)).pools()
    rows = [(pool.name, pool.slots, pool.used, pool.waiting) for pool in pools]
    show(pools, output, ("POOL", "SLOTS", "USED", "WAITING"), rows)


@app.command("set")
def set_pool(name: str, slots: Annotated[int, typer.Argument(min=0)], data: Data = None) -> None:
    """Create a pool, or change its size."""
    from headway.client import client_of

    pool = client_of(config.layout(data)).set_pool(name, slots)
    say(f"pool {pool.name} has {counted(pool.slots, 'slot')}")


@app.command("delete")
def delete_pool(name: str, data: Data = None) -> None:
    """Delete a pool. It must not be in use."""
    from headway.client import client_of

    client_of(config.layout(data)).delete_pool(name)
    say(f"pool {name} deleted")
