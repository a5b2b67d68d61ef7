"""The controller of Deployments: makes and removes pods as ReplicaSets do, and says so in the status.

Between a Deployment and its pods there is no ReplicaSet object. Which pod goes first is as in Kubernetes: one that does
not run, then the one with the lowest ``pod-deletion-cost``, then the youngest.
"""

import json
import threading
from dataclasses import dataclass, field
from hashlib import blake2s
from typing import Any, Final

from tests.kubernetes.fake.kinds import DEPLOYMENT, POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object

LOOK_S: Final = 0.05
COST: Final = "controller.kubernetes.io/pod-deletion-cost"
HASH: Final = "pod-template-hash"


@dataclass
class Deployments:
    server: ApiServer
    removed: list[str] = field(default_factory=list)  # pods, in order

    def __post_init__(self) -> None:
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self.run, name="deployments", daemon=True)

    def start(self) -> None:
        self.thread.start()

    def stop(self) -> None:
        self.stopping.set()
        self.thread.join()

    def run(self) -> None:
        while not self.stopping.wait(LOOK_S):
            self.turn()

    def turn(self) -> None:
        store = self.server.store
        with store.lock:
            found = {each["metadata"]["uid"]: each for each in store.every(DEPLOYMENT, "")[0]}
            owned: dict[str, list[Object]] = {uid: [] for uid in found}
            for pod in store.every(POD, "")[0]:
                for owner in pod["metadata"].get("ownerReferences", ()):
                    if owner["uid"] in owned:
                        owned[owner["uid"]].append(pod)
                    else:  # it is gone, and so are its pods
                        self.remove(pod)
            for uid, each in found.items():
                self.bring_level(each, owned[uid])

    def bring_level(self, each: Object, pods: list[Object]) -> None:
        spec, mark = each["spec"], hash_of(each["spec"]["template"])
        live = [p for p in pods if "deletionTimestamp" not in p["metadata"] and not is_over(p)]
        wanted = spec.get("replicas", 1)
        failure = ""
        for _ in range(wanted - len(live)):
            try:
                self.server.create(POD, pod_of(each, mark))
            except Refused as refused:
                failure = refused.body()["message"]
                break
        for pod in sorted(live, key=order)[: max(0, len(live) - wanted)]:
            self.remove(pod)
        old = [p for p in live if p["metadata"]["labels"][HASH] != mark]
        if old and len(live) == wanted and all(is_running(p) for p in live):
            self.remove(min(old, key=order))
        self.tell(each, live, failure)

    def remove(self, pod: Object) -> None:
        meta = pod["metadata"]
        if "deletionTimestamp" not in meta:
            self.removed.append(meta["name"])
            self.server.store.delete(POD, meta["namespace"], meta["name"])

    def tell(self, each: Object, live: list[Object], failure: str) -> None:
        ready = sum(is_running(pod) for pod in live)
        conditions: list[dict[str, Any]] = []
        if failure:
            told = {"reason": "FailedCreate", "message": failure}
            conditions.append({"type": "ReplicaFailure", "status": "True", **told})
        status = {"replicas": len(live), "readyReplicas": ready, "conditions": conditions}
        meta = each["metadata"]
        self.server.store.change(
            DEPLOYMENT, meta["namespace"], meta["name"], lambda d: d.update(status=status)
        )


def hash_of(template: Object) -> str:
    return blake2s(json.dumps(template, sort_keys=True).encode(), digest_size=4).hexdigest()


def pod_of(each: Object, mark: str) -> Object:
    template, meta = json.loads(json.dumps(each["spec"]["template"])), each["metadata"]
    owner = {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": f"{meta['name']}-{mark}"}
    return {
        "metadata": {
            **template["metadata"],
            "labels": {**template["metadata"].get("labels", {}), HASH: mark},
            "generateName": f"{meta['name']}-{mark}-",
            "namespace": meta["namespace"],
            "ownerReferences": [{**owner, "uid": meta["uid"], "controller": True}],
        },
        "spec": template["spec"],
    }


def is_over(pod: Object) -> bool:
    return pod["status"].get("phase") in ("Succeeded", "Failed")


def is_running(pod: Object) -> bool:
    return bool(pod["status"].get("phase") == "Running")


def order(pod: Object) -> tuple[bool, int, str]:
    meta = pod["metadata"]
    return is_running(pod), int(meta.get("annotations", {}).get(COST, "0")), meta["name"]
