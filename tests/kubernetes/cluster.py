"""A fake cluster with a node, and the settings that lead to it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tests.certificates import authority
from tests.kubernetes.fake.deployments import Deployments
from tests.kubernetes.fake.kinds import ACCOUNT, NAMESPACE, POD
from tests.kubernetes.fake.kubelet import Kubelet
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object
from tests.ports import free_port


@dataclass
class FakeCluster:
    server: ApiServer
    node: Kubelet
    folder: Path
    deployments: Deployments

    def settings(self, **changes: Any) -> Path:
        """Write the settings of a server. Its pods share no folder with it: each volume is a folder of the node."""
        gateway = f"tls:127.0.0.1:{free_port()}"
        trusted = authority(self.folder)
        certificate, key = trusted.sign("gateway", "127.0.0.1")
        given = {
            "image": "headway:test",
            "listen": gateway,
            "connect": gateway,
            "certificate": str(certificate),
            "key": str(key),
            "ca": str(trusted.ca),
            "kubeconfig": str(self.server.kubeconfig(self.folder / "kubeconfig")),
            "run_as_user": os.getuid(),
        }
        file = self.folder / "kubernetes.yaml"
        file.write_text(yaml.safe_dump(given | changes))
        return file

    def namespace(self, name: str) -> None:
        self.server.store.create(NAMESPACE, {"metadata": {"name": name}})
        meta = {"name": "headway-task", "namespace": name}
        self.server.store.create(ACCOUNT, {"metadata": meta})

    def pods(self, namespace: str = "") -> list[Object]:
        return self.server.store.every(POD, namespace)[0]


@contextmanager
def fake_cluster(folder: Path) -> Iterator[FakeCluster]:
    server = ApiServer()
    server.start()
    node = Kubelet(server, folder)
    node.start()
    deployments = Deployments(server)
    deployments.start()
    try:
        yield FakeCluster(server, node, folder, deployments)
    finally:
        deployments.stop()
        node.stop()
        server.stop()
