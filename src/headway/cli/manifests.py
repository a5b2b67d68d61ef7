"""``headway manifests``: print the objects that install Headway in a Kubernetes cluster."""

from typing import Annotated

import typer

from headway.cli.output import line


def manifests(
    image: Annotated[
        str,
        typer.Option(help="Image with Headway, its extra `kubernetes`, and DAG files in /dags."),
    ],
    namespace: Annotated[str, typer.Option(help="Namespace of the server.")] = "headway",
    team: Annotated[
        list[str] | None, typer.Option(help="A team. Can be repeated (default: default).")
    ] = None,
    host: Annotated[
        str | None, typer.Option(help="Name under which people reach the server; makes an Ingress.")
    ] = None,
    ingress_class: Annotated[str | None, typer.Option(help="Class of the Ingress.")] = None,
    dags_claim: Annotated[
        str | None,
        typer.Option(help="Claim of a volume with the DAG files, in place of the image's."),
    ] = None,
    storage: Annotated[str, typer.Option(help="Size of the volume of the server.")] = "20Gi",
    storage_class: Annotated[str | None, typer.Option(help="Its storage class.")] = None,
) -> None:
    """Print Kubernetes objects for `kubectl apply -f -`: the server, its rights and the namespaces of teams."""
    import msgspec

    from headway.errors import UsageError
    from headway.executors.kubernetes.install import Install, objects_of, trouble

    install = Install(
        image=image,
        namespace=namespace,
        teams=tuple(team or ("default",)),
        host=host,
        ingress_class=ingress_class,
        dags_claim=dags_claim,
        storage=storage,
        storage_class=storage_class,
    )
    if (why := trouble(install)) is not None:
        raise UsageError(why, hint="see docs/kubernetes.md")
    documents = (msgspec.yaml.encode(each).decode() for each in objects_of(install))
    line("---\n".join(documents).rstrip())
