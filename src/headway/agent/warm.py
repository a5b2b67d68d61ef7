"""``python -m headway.agent.warm``: an agent of a team's warm pool, in a pod that stays.

It is an agent like one on any other machine, but for its credential: the token that the kubelet mounts says which pod
it is, and the pod whose team it works for. Told to stop, as by the end of a spot node, it takes nothing new, ends what
it has, and leaves. After so many tasks it does the same by itself, so that what they left behind in it goes.
"""

import os
import sys
from functools import partial
from pathlib import Path

import msgspec
from msgspec.structs import replace

from headway.agent.__main__ import prepare, serve
from headway.agent.pod import variable
from headway.agent.protocol import Grants, Hello
from headway.agent.remote import RemoteAgent
from headway.core.canary import is_canary


class Warm(msgspec.Struct, frozen=True):
    """The settings in the environment of the pod. ``tasks``: after so many the process is replaced."""

    connect: str
    data: str
    scratch: str
    name: str
    token_file: str
    ca: str  # certificates in PEM; empty: those that the image trusts
    slots: str
    queues: str  # with commas between them
    tasks: str
    drain_s: str


class WarmAgent(RemoteAgent):
    def __init__(self, warm: Warm) -> None:
        self.token_file = Path(warm.token_file)
        self.drain_s = float(warm.drain_s)
        self.tasks_left = int(warm.tasks)
        slots = int(warm.slots)
        super().__init__(
            warm.connect,
            Path(warm.data),
            warm.name,
            slots=slots,
            processes=slots,
            token=self.credential(),
            scratch=Path(warm.scratch),
            queues=warm.queues.split(","),
        )
        self.trust(warm.ca)

    def credential(self) -> str:
        """Return the pod's token. It is replaced while the pod runs, so it is read for each connection."""
        return self.token_file.read_text().strip()

    def hello(self) -> Hello:
        return replace(super().hello(), token=self.credential())

    def take(self, message: Grants) -> None:
        super().take(message)
        self.tasks_left -= sum(not is_canary(grant.key.run_id) for grant in message.grants)
        if self.tasks_left <= 0 and not self.draining:
            self.drain()


def warm_of(environment: dict[str, str]) -> Warm:
    """Read the pod's environment. Raises KeyError with the variable that is missing."""
    return Warm(**{name: environment[variable(name)] for name in Warm.__struct_fields__})


def main() -> int:
    try:
        warm = warm_of(dict(os.environ))
    except KeyError as missing:
        raise SystemExit(f"headway.agent.warm: {missing.args[0]} is not set") from None
    for name in Warm.__struct_fields__:  # tasks need none of it
        del os.environ[variable(name)]
    prepare()
    agent = WarmAgent(warm)
    return serve(agent, partial(agent.drain, agent.drain_s))


if __name__ == "__main__":
    sys.exit(main())
