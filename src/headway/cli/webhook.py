"""``headway webhook``: addresses at which other systems report events of assets and start runs; ``outbound`` ones."""

from typing import Annotated

import typer

from headway import config, wire
from headway.cli import outbound
from headway.cli.options import Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import say
from headway.errors import UsageError

app = typer.Typer(
    no_args_is_help=True,
    help="Webhooks: other systems start runs and report events. They send signed requests.",
)
app.add_typer(outbound.app, name="outbound")
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the webhook.")]


@app.command()
def create(
    name: Name,
    asset: Annotated[
        str | None, typer.Option(help="Each delivery reports an event of this asset.")
    ] = None,
    dag: Annotated[str | None, typer.Option(help="Each delivery starts a run of this DAG.")] = None,
    field: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=PATH",
            help="A value of the extra, or a parameter, and where it stands in the body: rows=data.rows.",
        ),
    ] = None,
    key: Annotated[
        str | None, typer.Option(metavar="PATH", help="Where the idempotency key stands.")
    ] = None,
    partition: Annotated[
        str | None, typer.Option(metavar="PATH", help="Where the partition of the asset stands.")
    ] = None,
    data: Data = None,
) -> None:
    """Create a webhook, and print its address and secret. The secret is shown this once."""
    from headway.client import client_of

    request = wire.WebhookRequest(
        name=name,
        asset=asset,
        dag_id=dag,
        fields=fields_of(field or []),
        key_path=key,
        partition_path=partition,
    )
    told(client_of(config.layout(data)).create_webhook(request))
    say("the secret is shown only now; the sender signs each request with it")


@app.command()
def ls(data: Data = None, output: Format = Output.TABLE) -> None:
    """List webhooks, without their secrets."""
    from headway.client import client_of

    found = client_of(config.layout(data)).webhooks()
    rows = [
        (each.name, f"{each.kind} {each.target}", each.created_by, each.disabled_at, each.url)
        for each in found
    ]
    show(found, output, ("NAME", "REPORTS TO", "BY", "DISABLED", "URL"), rows)


@app.command("show")
def show_webhook(
    name: Name,
    limit: Annotated[int, typer.Option(help="Number of deliveries.")] = 20,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show what came to a webhook, the newest first. Accepted, failed and refused."""
    from headway.client import client_of

    found = client_of(config.layout(data)).webhook_deliveries(name, limit)
    rows = [
        (each.number, each.at, each.outcome, each.made, each.delivery_id, each.address, each.detail)
        for each in found
    ]
    columns = ("NUMBER", "TIME", "OUTCOME", "MADE", "DELIVERY", "FROM", "DETAIL")
    show(found, output, columns, rows)


@app.command()
def rotate(
    name: Name,
    overlap: Annotated[
        int, typer.Option(metavar="HOURS", help="How long the secret before counts, too.")
    ] = 24,
    data: Data = None,
) -> None:
    """Give a webhook another secret, and print it. It is shown this once."""
    from headway.client import client_of

    told(client_of(config.layout(data)).rotate_webhook(name, overlap))
    say(f"the secret before counts for {overlap} h more" if overlap else "the secret before ended")


@app.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete a webhook. Its address stops working immediately."""
    from headway.client import client_of

    client_of(config.layout(data)).delete_webhook(name)
    say(f"deleted the webhook {name}")


@app.command()
def replay(
    name: Name,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the delivery.")],
    data: Data = None,
) -> None:
    """Make again what a delivery asked for. It is another event, or another run."""
    from headway.client import client_of

    made = client_of(config.layout(data)).replay_delivery(name, number).made
    say(f"replayed delivery {number} of {name}: it made {made}")


def told(made: wire.NewWebhook) -> None:
    line(f"url     {made.url}")
    line(f"secret  {made.secret}")


def fields_of(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in given:
        name, sign, path = one.partition("=")
        if not (name and sign and path):
            raise UsageError(
                f"--field {one!r} is not NAME=PATH", hint="for instance: --field rows=data.rows"
            )
        found[name] = path
    return found
