"""``headway webhook outbound``: URLs to which the ends of runs and overdue partitions are told."""

from typing import Annotated

import typer
from msgspec import UNSET

from headway import config, wire
from headway.cli.options import Data, Format, Output
from headway.cli.output import line, show
from headway.cli.terminal import read_secret, say

app = typer.Typer(
    no_args_is_help=True,
    help="Outbound webhooks: Headway reports events to a URL. Runs have ended, partitions are overdue.",
)
Name = Annotated[str, typer.Argument(metavar="NAME", help="Name of the outbound webhook.")]
Dag = Annotated[
    list[str] | None,
    typer.Option(
        metavar="PATTERN",
        help="Of these DAGs, with * for any text; can be repeated (default: all).",
    ),
]
State = Annotated[
    list[str] | None,
    typer.Option(
        metavar="STATE",
        help="Of runs that end as success, failed, cancelled or skipped; can be repeated (default: all).",
    ),
]
Event = Annotated[
    list[str] | None,
    typer.Option(
        metavar="EVENT",
        help="What is told: run.ended or partition.overdue; can be repeated (default: run.ended).",
    ),
]
Params = Annotated[
    bool | None,
    typer.Option("--params/--no-params", help="Send the parameters of the run, too."),
]
Secret = Annotated[
    bool,
    typer.Option(
        "--secret",
        help="Ask for the secret of the receiver, or read it from standard input.",
    ),
]


@app.command()
def create(
    name: Name,
    url: Annotated[str, typer.Argument(metavar="URL", help="Where requests are sent.")],
    dag: Dag = None,
    state: State = None,
    event: Event = None,
    params: Params = None,
    secret: Secret = False,
    data: Data = None,
) -> None:
    """Create an outbound webhook, and print its secret. The secret is shown this once."""
    from headway.client import client_of

    usual = wire.OutboundWebhookRequest(name=name, url=url)
    request = wire.OutboundWebhookRequest(
        name=name,
        url=url,
        dags=dag or usual.dags,
        states=state or usual.states,
        events=event or usual.events,
        with_params=bool(params),
        secret=read_secret("secret") if secret else None,
    )
    made = client_of(config.layout(data)).create_outbound_webhook(request)
    if made.secret is not None:
        line(f"secret  {made.secret}")
        say("the secret is shown only now; the receiver checks each request with it")
    say(f"to try it: headway webhook outbound ping {name}")


@app.command()
def ls(data: Data = None, output: Format = Output.TABLE) -> None:
    """List outbound webhooks, without their secrets."""
    from headway.client import client_of

    found = client_of(config.layout(data)).outbound_webhooks()
    rows = [
        (
            each.name,
            each.url,
            ", ".join(each.dags),
            ", ".join(each.states),
            ", ".join(each.events),
            each.disabled_at,
            each.failing_since,
            each.trouble,
        )
        for each in found
    ]
    columns = ("NAME", "URL", "DAGS", "STATES", "EVENTS", "DISABLED", "FAILING SINCE", "TROUBLE")
    show(found, output, columns, rows)


@app.command("show")
def show_outbound(
    name: Name,
    limit: Annotated[int, typer.Option(help="Number of deliveries.")] = 20,
    data: Data = None,
    output: Format = Output.TABLE,
) -> None:
    """Show what is sent, the newest first. Waiting, delivered and given up."""
    from headway.client import client_of

    found = client_of(config.layout(data)).outbound_deliveries(name, limit)
    rows = [
        (
            each.number,
            each.at,
            each.event,
            each.dag_id,
            each.partition,
            each.run_id,
            each.state,
            each.status,
            each.tries,
            each.code,
            each.next_at,
            each.trouble,
        )
        for each in found
    ]
    about = ("NUMBER", "TIME", "EVENT", "DAG", "PARTITION", "RUN", "STATE")
    show(found, output, (*about, "STATUS", "TRIES", "CODE", "NEXT TRY", "TROUBLE"), rows)


@app.command()
def change(
    name: Name,
    url: Annotated[str | None, typer.Option(metavar="URL", help="Where requests are sent.")] = None,
    dag: Dag = None,
    state: State = None,
    event: Event = None,
    params: Params = None,
    secret: Secret = False,
    data: Data = None,
) -> None:
    """Change an outbound webhook. What is not given stays as it is."""
    from headway.client import client_of

    request = wire.OutboundWebhookChange(
        url=UNSET if url is None else url,
        dags=dag or UNSET,
        states=state or UNSET,
        events=event or UNSET,
        with_params=UNSET if params is None else params,
        secret=read_secret("secret") if secret else UNSET,
    )
    client_of(config.layout(data)).change_outbound_webhook(name, request)
    say(f"changed the outbound webhook {name}")


@app.command()
def disable(name: Name, data: Data = None) -> None:
    """Send nothing more. What waits is given up."""
    switch(name, data, disabled=True)


@app.command()
def enable(name: Name, data: Data = None) -> None:
    """Send what happens from now on."""
    switch(name, data, disabled=False)


@app.command()
def delete(name: Name, data: Data = None) -> None:
    """Delete an outbound webhook. What waits is not sent."""
    from headway.client import client_of

    client_of(config.layout(data)).delete_outbound_webhook(name)
    say(f"deleted the outbound webhook {name}")


@app.command()
def redeliver(
    name: Name,
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="Number of the delivery.")],
    data: Data = None,
) -> None:
    """Send a delivery again, or now, with the same id."""
    from headway.client import client_of

    sent = client_of(config.layout(data)).redeliver(name, number)
    say(f"delivery {number} of {name} is sent again, as {sent.event_id}")


@app.command()
def ping(name: Name, data: Data = None) -> None:
    """Send a request that tells of no run, to try the URL."""
    from headway.client import client_of

    client_of(config.layout(data)).ping_outbound_webhook(name)
    say(f"a ping is sent; to see what came of it: headway webhook outbound show {name}")


def switch(name: str, data: Data, *, disabled: bool) -> None:
    from headway.client import client_of

    request = wire.OutboundWebhookChange(disabled=disabled)
    client_of(config.layout(data)).change_outbound_webhook(name, request)
    say(f"the outbound webhook {name} is {'disabled' if disabled else 'enabled'}")
