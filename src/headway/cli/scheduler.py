"""``headway scheduler``: one scheduler, of any number."""

from headway import config
from headway.cli.options import (
    Agents,
    Certificate,
    HealthPort,
    Key,
    Kubernetes,
    LogStore,
    Slots,
    with_settings,
)
from headway.cli.shared import shared as read_shared
from headway.up.shared import Shared


@with_settings("shared", read_shared)
def scheduler(
    shared: Shared,
    slots: Slots = config.SLOTS,
    agents: Agents = None,
    certificate: Certificate = None,
    key: Key = None,
    kubernetes: Kubernetes = None,
    log_store: LogStore = None,
    health_port: HealthPort = None,
) -> None:
    """Schedule runs, and give work to agents and pods. Any number of schedulers run at once."""
    import logging

    from headway.up import outside
    from headway.up.apart import schedule
    from headway.up.vital import Vital, answer_on

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    reached = outside.agents(agents, certificate, key)
    vital = Vital()
    if health_port is not None:
        answer_on(health_port, vital.trouble)
    schedule(
        shared,
        slots=slots,
        agents=reached,
        kubernetes=kubernetes,
        ships_logs=log_store is not None,
        vital=vital,
    )
