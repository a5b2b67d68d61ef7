"""``python -m headway.agent.pod``: the agent of one attempt, in a pod of its own.

It is an agent with one place whose session is the pod: the scheduler binds the attempt to the pod's UID before it
grants it, and never to a second one. Who the pod is says the token that the kubelet mounts, not the environment.
It ends when the end of its attempt is stored, so that no result is lost with a pod, and never comes back.
"""

import os
import sys
from pathlib import Path
from typing import Final, TypeVar

import msgspec
from msgspec.structs import replace

from headway.agent.__main__ import prepare, serve
from headway.agent.protocol import AttemptKey, Hello
from headway.agent.remote import RemoteAgent

LEASE_OVER: Final = "the lease of its attempt is over"


class Pod(msgspec.Struct, frozen=True):
    """The settings in the environment of the pod."""

    connect: str
    data: str
    scratch: str
    attempt: str  # of AttemptKey, as JSON
    name: str
    uid: str
    token_file: str
    ca: str  # certificates in PEM; empty: those that the image trusts


class PodAgent(RemoteAgent):
    def __init__(self, pod: Pod) -> None:
        self.uid = pod.uid
        self.only = msgspec.json.decode(pod.attempt, type=AttemptKey)
        self.token_file = Path(pod.token_file)
        super().__init__(
            pod.connect,
            Path(pod.data),
            pod.name,
            slots=1,
            processes=1,
            token=self.credential(),
            scratch=Path(pod.scratch),
        )
        self.trust(pod.ca)

    def credential(self) -> str:
        """Return the pod's token. It is replaced while the pod runs, so it is read for each connection."""
        return self.token_file.read_text().strip()

    def begin_session(self) -> None:
        super().begin_session()
        self.session.token = self.uid

    def hello(self) -> Hello:
        return replace(super().hello(), token=self.credential(), attempt=self.only)

    def come_back(self) -> None:
        if self.session.over and not self.servers.by_number and self.refusal is None:
            self.refusal = LEASE_OVER

    def over(self) -> bool:
        stored = bool(self.seen) and not self.attempts and not self.unacked
        return stored or super().over()


Settings = TypeVar("Settings", bound=Pod)


def pod_of(environment: dict[str, str], kind: type[Settings]) -> Settings:
    """Read the pod's environment. Raises KeyError with the variable that is missing."""
    return kind(**{name: environment[variable(name)] for name in kind.__struct_fields__})


def variable(name: str) -> str:
    return f"HEADWAY_POD_{name.upper()}"


def taken(kind: type[Settings], program: str) -> Settings:
    """Take the settings out of the environment of this process."""
    try:
        pod = pod_of(dict(os.environ), kind)
    except KeyError as missing:
        raise SystemExit(f"{program}: {missing.args[0]} is not set") from None
    for name in kind.__struct_fields__:  # tasks need none of it
        del os.environ[variable(name)]
    return pod


def main() -> int:
    pod = taken(Pod, "headway.agent.pod")
    prepare()
    return serve(PodAgent(pod))


if __name__ == "__main__":
    sys.exit(main())
