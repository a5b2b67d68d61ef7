"""``headway manifests``: print the objects that install Headway in a Kubernetes cluster."""

from pathlib import Path
from typing import Annotated, Any

import typer

from headway.cli.options import with_settings
from headway.cli.output import line


def numbers(
    api: Annotated[int, typer.Option(help="Number of API servers.")] = 2,
    schedulers: Annotated[int, typer.Option(help="Number of schedulers.")] = 2,
    agents: Annotated[
        int, typer.Option(help="Number of agents of each team; 0: tasks run in pods only.")
    ] = 1,
    agent_slots: Annotated[
        int, typer.Option(help="Tasks that an agent runs at the same time.")
    ] = 8,
    slots: Annotated[int, typer.Option(help="Tasks of all teams that run at the same time.")] = 32,
    backups: Annotated[int, typer.Option(help="Number of backups that are kept.")] = 14,
    canary_seconds: Annotated[
        int,
        typer.Option(help="Seconds between two runs that prove that runs succeed; 0: none."),
    ] = 300,
    database_instances: Annotated[
        int,
        typer.Option(
            help="Instances of a PostgreSQL of its own, by CloudNativePG; 0: the database is given."
        ),
    ] = 0,
) -> dict[str, int]:
    """Return the numbers of processes and slots, by the name of the setting."""
    return {
        "api": api,
        "schedulers": schedulers,
        "agents": agents,
        "agent_slots": agent_slots,
        "slots": slots,
        "backups": backups,
        "canary_seconds": canary_seconds,
        "database_instances": database_instances,
    }


def places(
    log_store: Annotated[
        str | None, typer.Option(help="Log store: s3://bucket/prefix; makes a shipper.")
    ] = None,
    backup_store: Annotated[
        str | None,
        typer.Option(
            help="Backup store: s3://bucket/prefix; makes a backup each night and a drill each week."
        ),
    ] = None,
    listen_address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of PostgreSQL, if the database URL leads to a pooler."),
    ] = None,
    dags_claim: Annotated[
        str | None,
        typer.Option(help="Claim of a volume with the DAG files, in place of the image's."),
    ] = None,
    storage: Annotated[str, typer.Option(help="Size of the shared volume.")] = "20Gi",
    storage_class: Annotated[str | None, typer.Option(help="Storage class of volumes.")] = None,
    database_storage: Annotated[
        str, typer.Option(help="Size of the volume of each instance of PostgreSQL.")
    ] = "20Gi",
    wal_store: Annotated[
        str | None,
        typer.Option(
            help="s3://bucket/prefix for the write-ahead log and base backups of its own PostgreSQL."
        ),
    ] = None,
    wal_endpoint: Annotated[
        str | None, typer.Option(help="https://HOST of that store, if it is not Amazon's.")
    ] = None,
) -> dict[str, str | None]:
    """Return where data is, by the name of the setting."""
    return {
        "log_store": log_store,
        "backup_store": backup_store,
        "listen_address": listen_address,
        "dags_claim": dags_claim,
        "storage": storage,
        "storage_class": storage_class,
        "database_storage": database_storage,
        "wal_store": wal_store,
        "wal_endpoint": wal_endpoint,
    }


def names(
    team: Annotated[
        list[str] | None, typer.Option(help="A team. Can be repeated (default: default).")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Name under which people reach the server; makes an Ingress.")
    ] = None,
    ingress_class: Annotated[str | None, typer.Option(help="Class of the Ingress.")] = None,
    sign_in_secret: Annotated[
        str | None, typer.Option(help="Secret with sign-in.toml, for OpenID Connect or LDAP.")
    ] = None,
    metrics_secret: Annotated[
        str | None,
        typer.Option(help="Secret with the token of a viewer; makes a ServiceMonitor."),
    ] = None,
    trusted_proxies: Annotated[
        str | None, typer.Option(help="Addresses of the ingress, which tells those of clients.")
    ] = None,
    webhook_networks: Annotated[
        str | None,
        typer.Option(help="Networks that are not public, and that outbound webhooks may reach."),
    ] = None,
    keytab_secret: Annotated[
        str | None,
        typer.Option(
            help="Secret of each team with the keytab from which its pods have Kerberos tickets."
        ),
    ] = None,
) -> dict[str, Any]:
    """Return who is who, by the name of the setting."""
    return {
        "teams": team or None,
        "host": host,
        "ingress_class": ingress_class,
        "sign_in_secret": sign_in_secret,
        "metrics_secret": metrics_secret,
        "trusted_proxies": trusted_proxies,
        "webhook_networks": webhook_networks,
        "keytab_secret": keytab_secret,
    }


@with_settings("places", places)
@with_settings("numbers", numbers)
@with_settings("names", names)
def manifests(
    context: typer.Context,
    names: dict[str, Any],
    numbers: dict[str, int],
    places: dict[str, str | None],
    image: Annotated[
        str | None,
        typer.Option(
            help="Image with Headway, its extra `kubernetes`, and the DAG files of each team in /dags/TEAM."
        ),
    ] = None,
    values: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="File with values, as for the Helm chart (YAML). Options come first.",
        ),
    ] = None,
    namespace: Annotated[str, typer.Option(help="Namespace of the install.")] = "headway",
) -> None:
    """Print Kubernetes objects for `kubectl apply -f -`. Components, their rights and the namespaces of teams."""
    import msgspec

    from headway.executors.kubernetes.given import install_of
    from headway.executors.kubernetes.install import objects_of

    options = {"image": image, **names, **numbers, **places}
    asked = {name: value for name, value in options.items() if is_asked(context, name)}
    install = install_of(namespace, asked, values)
    documents = (msgspec.yaml.encode(each).decode() for each in objects_of(install))
    line("---\n".join(documents).rstrip())


def is_asked(context: typer.Context, name: str) -> bool:
    """Return whether somebody gave the option: what nobody gave may be in the file."""
    source = context.get_parameter_source({"teams": "team"}.get(name, name))
    return source is not None and source.name != "DEFAULT"
