"""The client of the Kubernetes API, from the settings."""

import logging

import httpx2
from lightkube import AsyncClient, ConfigError, KubeConfig

from headway.errors import UsageError
from headway.executors.kubernetes.settings import Settings


def client_of(settings: Settings) -> AsyncClient:
    """Raises UsageError if the settings lead to no cluster."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # it tells of each request
    try:
        given = settings.kubeconfig
        config = KubeConfig.from_env() if given is None else KubeConfig.from_file(given)
        return AsyncClient(
            config.get(settings.context),
            timeout=httpx2.Timeout(settings.request_timeout_s),
            field_manager=settings.install,
            trust_env=False,
            http2=True,  # a watch for each team on one connection
        )
    except (ConfigError, OSError) as error:
        raise UsageError(
            f"cannot read how to reach the Kubernetes cluster: {error}",
            hint="set kubeconfig in the file of --kubernetes",
        ) from error
