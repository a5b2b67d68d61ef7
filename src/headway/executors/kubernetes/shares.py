"""The share of a team in the cluster, and when a pod that was not created is asked for again."""

from dataclasses import dataclass, field
from typing import Final

from headway import clock, ids
from headway.core.cluster import DEFAULTS, ClusterSettings
from headway.core.reasons import Reason
from headway.executors.kubernetes.cluster import Refusal
from headway.store.sessions import Bound

BACKOFF_S_MIN: Final = 0.5
BACKOFF_S_MAX: Final = 30.0
ANSWER_S: Final = 30.0  # within which the API server answers, or its answer is lost
NAMES_MAX: Final = 20_000


@dataclass(slots=True, eq=False)
class Share:
    """``pending``: attempts that wait for their pod to knock, by the name of that."""

    team_id: int
    team: str
    namespace: str
    session: str
    pending: dict[str, Bound] = field(default_factory=dict)
    is_ready: bool = False  # what the team needs exists in the cluster
    pods_max: int = 0
    deadline_s: float = 0.0  # for pods to start
    settings: ClusterSettings = DEFAULTS
    refused: dict[str, Refusal] = field(
        default_factory=dict
    )  # pods that the API server did not create
    # Why pending attempts have not started, as stored, by the names of their pods.
    waits: dict[str, Reason | None] = field(default_factory=dict)
    trouble: str = ""  # of what the team needs in the cluster


class Backoff:
    """When each pod may be asked for again. After a failure it waits, longer each time."""

    def __init__(self) -> None:
        self.again_at: dict[str, float] = {}
        self.waits_s: dict[str, float] = {}

    def may_ask(self, name: str) -> bool:
        return clock.monotonic() >= self.again_at.get(name, float("-inf"))

    def asked(self, name: str) -> None:
        self.again_at[name] = clock.monotonic() + ANSWER_S

    def failed(self, name: str) -> None:
        wait_s = self.waits_s.get(name, BACKOFF_S_MIN)
        self.again_at[name] = clock.monotonic() + wait_s * (0.5 + ids.fraction())
        self.waits_s[name] = min(2 * wait_s, BACKOFF_S_MAX)

    def forget(self, name: str) -> None:
        self.waits_s.pop(name, None)
        self.again_at.pop(name, None)
        while len(self.again_at) > NAMES_MAX:  # of attempts that ended before their pod came
            oldest = next(iter(self.again_at))
            self.forget(oldest)
