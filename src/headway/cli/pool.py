"""``headway pool``: limit how many tasks run at the same time."""

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from headway import config
from headway.cli.options import Data, Format, Output
from headway.cli.output import show
from headway.cli.terminal import say
from headway.core.words import counted
from headway.errors import NotFound, UsageError


class Size(msgspec.Struct):
    """A pool as Airflow exports it; what else it says has no meaning here."""

    slots: int


app = typer.Typer(no_args_is_help=True, help="Pools: limit how many tasks run at the same time.")


@app.command("ls")
def list_pools(data: Data = None, output: Format = Output.TABLE) -> None:
    """List pools with their used slots and waiting tasks. Yours, to whom they are lent, and those of other teams."""
    from headway.client import client_of

    pools = client_of(config.layout(data)).pools()
    rows = [
        (
            *(pool.name, pool.slots, pool.used, pool.allotted, pool.waiting),
            ", ".join(f"{loan.team} {loan.used}" for loan in pool.lent_to),
        )
        for pool in pools
    ]
    show(pools, output, ("POOL", "SLOTS", "USED", "MAY USE", "WAITING", "LENT TO"), rows)


@app.command("set")
def set_pool(name: str, slots: Annotated[int, typer.Argument(min=0)], data: Data = None) -> None:
    """Create a pool, or change its size."""
    from headway.actions.commands import check_own_pool
    from headway.client import client_of

    check_own_pool(name)
    pool = client_of(config.layout(data)).set_pool(name, slots)
    say(f"pool {pool.name} has {counted(pool.slots, 'slot')}")


@app.command("delete")
def delete_pool(name: str, data: Data = None) -> None:
    """Delete a pool. It must not be in use, nor lent to another team."""
    from headway.actions.commands import check_own_pool
    from headway.client import client_of

    check_own_pool(name)
    client_of(config.layout(data)).delete_pool(name)
    say(f"pool {name} deleted")


@app.command("apply")
def apply_pools(
    file: Annotated[
        Path,
        typer.Argument(help="YAML or JSON: slots by name, or what `airflow pools export` wrote."),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only show what would change.")
    ] = False,
    data: Data = None,
) -> None:
    """Create and resize pools as a file says. Other pools stay as they are."""
    from headway.client import client_of

    wanted = read(file)
    client = client_of(config.layout(data))
    known = {pool.name: pool.slots for pool in client.pools()}
    changed = {name: slots for name, slots in wanted.items() if known.get(name) != slots}
    for name, slots in changed.items():
        if not dry_run:
            client.set_pool(name, slots)
        was = f"{known[name]} → " if name in known else "new, "
        say(f"pool {name}: {was}{counted(slots, 'slot')}")
    if not changed:
        say(f"nothing to change: {counted(len(wanted), 'pool')} as the file says")


def read(file: Path) -> dict[str, int]:
    """Return slots by the name of the pool. Raises UsageError, NotFound without a file."""
    try:
        found = msgspec.yaml.decode(file.read_bytes(), type=dict[str, int | Size])
    except FileNotFoundError as error:
        raise NotFound("the file does not exist", where=str(file)) from error
    except OSError as error:
        raise UsageError(f"the file cannot be read: {error.strerror}", where=str(file)) from error
    except msgspec.DecodeError as error:  # a ValidationError too
        hint = "write a line for each pool, for instance: etl: 4"
        raise UsageError(f"not a file of pools: {error}", where=str(file), hint=hint) from error
    slots = {name: size.slots if isinstance(size, Size) else size for name, size in found.items()}
    for name, count in slots.items():
        if count < 0:
            raise UsageError(f"pool {name} has {count} slots", where=str(file), hint="0 or more")
    return slots
