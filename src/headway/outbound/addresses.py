"""Networks of the operator's own to which outbound webhooks may go: ``HEADWAY_WEBHOOK_NETWORKS``."""

from collections.abc import Mapping
from typing import Final

from headway.core.outbound import Network, networks
from headway.errors import UsageError

VARIABLE: Final = "HEADWAY_WEBHOOK_NETWORKS"


def networks_from(environment: Mapping[str, str]) -> list[Network]:
    """Raises UsageError for what is not a network."""
    text = environment.get(VARIABLE, "")
    try:
        return networks(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is not a list of networks: {error}",
            where=VARIABLE,
            hint="write networks with commas between them: 10.20.0.0/16, 127.0.0.1/32",
        ) from None
