"""Parts of an install that stand alone, each with a chart of its own: agents, and a PostgreSQL. Pure.

They are made by the same functions as the whole, in the namespace of their release.
"""

from typing import Any

from headway.executors.kubernetes.components import agent
from headway.executors.kubernetes.install import AGENTS_PORT, NAME, Install, account, agents_policy
from headway.executors.kubernetes.objects import Object
from headway.executors.kubernetes.postgres import objects as of_database


class Agents(Install, frozen=True, kw_only=True):
    """Agents of one team, whose token is in ``agent_secret``. ``server``: the host where schedulers listen to them."""

    server: str = "headway.example.org"
    server_port: int = AGENTS_PORT


def agents(install: Any) -> list[Object]:
    """Return the agents of a server in another namespace or cluster. They reach names and the server."""
    one = agent(install, f"{install.server}:{install.server_port}", f"{NAME}-agent")
    to_server = {"ports": [{"port": install.server_port, "protocol": "TCP"}]}
    found = [account("agent"), agents_policy(install, to_server), one]
    return placed(install, found)


def database(install: Install) -> list[Object]:
    """Return the objects of the operator that make a PostgreSQL for Headway."""
    return placed(install, of_database(install))


def placed(install: Install, found: list[Object]) -> list[Object]:
    for each in found:
        each["metadata"]["namespace"] = install.namespace
        each["metadata"].setdefault("labels", {"app.kubernetes.io/name": NAME})
    return found
