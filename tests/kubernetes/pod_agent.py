"""What the agent in a pod knows from its pod, for the tests' client and for the bench."""

from collections.abc import Sequence

import msgspec

from headway.agent.pod import variable
from headway.agent.protocol import AttemptKey, Hello
from headway.executors.kubernetes.settings import AUDIENCE
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object


def attempt_of(pod: Object) -> AttemptKey:
    """Return the attempt that a pod was created for."""
    spec = pod["spec"]  # the agent beside a container comes before that
    every = [*spec.get("initContainers", ()), *spec["containers"]]
    env = {e["name"]: e.get("value") for each in every for e in each.get("env", ())}
    return msgspec.json.decode(env[variable("attempt")] or "", type=AttemptKey)


def hello_of(pod: Object, token: str, held: Sequence[AttemptKey] = ()) -> Hello:
    """Return the first message of its agent."""
    meta, key = pod["metadata"], attempt_of(pod)
    return Hello(meta["uid"], meta["name"], token, 1, 1, "node", 1, [*held], attempt=key)


def run(server: ApiServer, pod: Object, digest: str = "") -> str:
    """Let a node run a pod. Returns the token of its account. ``digest``: what the tag of its image stands for."""
    meta = pod["metadata"]
    where = meta["namespace"], meta["name"]
    pulled = [states.pulled(digest)] if digest else []
    for change in (states.scheduled("node-1"), *pulled, states.running):
        server.store.change(POD, *where, change)
    who = meta["namespace"], "headway-task", (AUDIENCE,), meta["name"], meta["uid"]
    return server.tokens.issue(*who)
