"""One suite for the fake API server, always, and for a real cluster, when HEADWAY_TEST_KUBECONFIG names it.

What it asserts is what Headway relies on: where the fake is wrong, the real one says so. Pods use the image
HEADWAY_TEST_IMAGE, which has a shell, and is never pulled.
"""

import json
import os
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from lightkube import KubeConfig
from lightkube.config.client_adapter import Client, ConnectionParams

from headway import clock
from tests.kubernetes.cluster import fake_cluster
from tests.kubernetes.fake.server import ApiServer

KUBECONFIG: Final = os.environ.get("HEADWAY_TEST_KUBECONFIG")
IMAGE: Final = os.environ.get("HEADWAY_TEST_IMAGE", "busybox")
KINDS: Final = ["fake", *(["real"] if KUBECONFIG else [])]
PATIENCE_S: Final = 60.0
CONTENT: Final = {
    "merge": "application/merge-patch+json",
    "apply": "application/apply-patch+yaml",
}

Object = dict[str, Any]


class Api:
    """Plain requests, in a namespace of the test's own."""

    def __init__(self, config: Path, fake: ApiServer | None) -> None:
        found = KubeConfig.from_file(config).get()
        assert found is not None
        self.http = Client(found, ConnectionParams())
        self.fake = fake
        self.namespace = f"headway-test-{uuid.uuid4().hex[:8]}"
        self.ask("POST", "/api/v1/namespaces", {"metadata": {"name": self.namespace}}, code=201)
        account = self.path("serviceaccounts", "default")
        until(lambda: self.http.request("GET", account).status_code == 200)

    def path(self, plural: str, name: str = "", group: str = "api/v1") -> str:
        tail = f"/{name}" if name else ""
        return f"/{group}/namespaces/{self.namespace}/{plural}{tail}"

    def ask(
        self, method: str, path: str, body: Any = None, *, code: int = 200, **options: Any
    ) -> Any:
        """Make a request, and return its answer, which must have this code."""
        patch = options.pop("patch", None)
        headers = {} if patch is None else {"Content-Type": CONTENT[patch]}
        found = self.http.request(method, path, json=body, headers=headers, params=options or None)
        assert found.status_code == code, found.text
        is_json = "json" in found.headers.get("content-type", "")
        return found.json() if is_json else found.text

    def config_map(self, name: str, **changes: Any) -> Object:
        given = {"metadata": {"name": name, **changes}, "data": {"a": "1"}}
        found: Object = self.ask("POST", self.path("configmaps"), given, code=201)
        return found

    def watch(self, path: str, since: str, **options: Any) -> list[tuple[str, Object]]:
        """Return what a watch of some seconds tells."""
        params = {"watch": "true", "resourceVersion": since, "timeoutSeconds": "2", **options}
        with self.http.stream("GET", path, params=params) as answer:
            if answer.status_code != 200:
                return [("ERROR", json.loads(answer.read()))]
            lines = [json.loads(line) for line in answer.iter_lines() if line]
        return [(line["type"], line["object"]) for line in lines]

    def close(self) -> None:
        self.http.request("DELETE", f"/api/v1/namespaces/{self.namespace}")
        self.http.close()


def until(condition: Callable[[], bool]) -> None:
    deadline = clock.monotonic() + PATIENCE_S
    while not condition():
        assert clock.monotonic() < deadline
        clock.sleep(0.05)


@pytest.fixture(params=KINDS, scope="module")
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    folder = tmp_path_factory.mktemp("cluster")
    if request.param == "real":
        found = Api(Path(KUBECONFIG or ""), None)
        yield found
        found.close()
        return
    with fake_cluster(folder) as cluster:
        found = Api(cluster.server.kubeconfig(folder / "kubeconfig"), cluster.server)
        yield found
        found.close()
