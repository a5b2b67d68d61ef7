"""What must hold of pods.

S4  once nothing goes wrong any more, no pod is there for long that no attempt wants
P1  an attempt has one pod that runs its code: S1 and S2 of ``truth``, and what is bound names a pod of its attempt
P2  no storm: a pod is asked for a few times within ten seconds, an API server a few hundred times in one
P3  no scheduler removes the pod of a live attempt, and so no result that is not stored yet
P4  an attempt failed only if its task did, or its pod as its author asked for it
P5  a pod that does not start is replaced so often, and then its attempt fails; why it waits is to be seen
P7  an attempt that ended because it never started has run nothing
P6  what is counted of pods is what is known of them, and once all is calm what is there
"""

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, LiteralString

import msgspec
from psycopg import Connection

from headway.agent.protocol import AttemptKey
from headway.core.pod_states import STUCK
from headway.executors.kubernetes.ends import NEVER_STARTED
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.room import why_pending
from headway.executors.kubernetes.tally import Tally
from tests.kubernetes.fake.kinds import POD
from tests.kubernetes.fake.store import Object
from tests.kubernetes.pod_agent import attempt_of
from tests.simulation.truth import Truth, name

if TYPE_CHECKING:
    from tests.simulation.pods import Pods
    from tests.simulation.road import Request

UNWANTED_S_MAX: Final = 420.0  # a watch is silent for 300 s before it is opened again; then a look
REASON_S_MAX: Final = 5.0
CREATES_MAX: Final = 8  # of one pod, by one scheduler
CREATES_IN_S: Final = 10.0
STUCK_CAUSES: Final = [*STUCK.values(), "not_started"]

LIVE: LiteralString = """
    SELECT run_id, task_id, map_index, number, deferrals, attempt.session_id,
        EXISTS (SELECT FROM agent_session
            WHERE session_id = attempt.session_id AND agent = 'kubernetes' AND ended_at IS NULL)
    FROM attempt WHERE state IN ('queued', 'running')
"""
FAILED: LiteralString = """
    SELECT run_id, task_id, map_index, number, deferrals, cause FROM attempt
    WHERE state = 'failed' ORDER BY 1, 2, 3, 4
"""
LOST: LiteralString = """
    SELECT run_id, task_id, map_index, number FROM attempt
    WHERE state = 'lost' AND cause = ANY (%(stuck)s) AND (
        SELECT count(*) FROM attempt AS before WHERE (before.team_id, before.run_id, before.task_id, before.map_index)
                = (attempt.team_id, attempt.run_id, attempt.task_id, attempt.map_index)
            AND before.number BETWEEN attempt.number - %(most)s AND attempt.number - 1
            AND before.state = 'lost' AND before.cause = ANY (%(stuck)s)) >= %(most)s
"""
NOT_STARTED: LiteralString = """
    SELECT run_id, task_id, map_index, number, deferrals FROM attempt WHERE cause = ANY (%s) AND deferrals = 0
"""
BLOCKED: LiteralString = """
    SELECT blocked_reason IS NOT NULL FROM task_instance
    WHERE run_id = %s AND task_id = %s AND map_index = %s AND state = 'queued' AND attempts = %s
"""


class PodTruth(Truth):
    """``by_cluster``: attempts that the cluster ended so that they count as failed. P4 says which others may be."""

    def __init__(self, conn: Connection[Any], note: Callable[[str], None]) -> None:
        super().__init__(conn, note)
        self.by_cluster: set[AttemptKey] = set()

    def is_told_by_others(self, key: AttemptKey) -> bool:
        return key in self.by_cluster or key not in self.ran


class Watch:
    """``world.watch``: what is seen of a cluster over time."""

    def __init__(self, world: "Pods") -> None:
        self.world = world
        self.unwanted: dict[str, float] = {}  # since when no attempt wants a pod, by UID
        self.known_since: dict[str, float] = {}  # why a pod does not start, by UID
        self.asked: dict[tuple[int, str], deque[float]] = {}  # by scheduler's life and pod

    # -- what the API server is asked

    def before(self, request: "Request") -> None:
        if request.method == "DELETE" and "/pods/" in request.path:
            self.removes(request)

    def after(self, request: "Request", code: int) -> None:
        if request.method == "POST" and request.path.endswith("/pods"):
            given: Any = msgspec.json.decode(request.body)
            self.asks(request, given["metadata"]["name"])

    def removes(self, request: "Request") -> None:
        *_, namespace, _, called = request.path.split("/")
        found = self.world.api.server.store.objects.get((POD.plural, namespace, called))
        if found is None:
            return
        uid, key = found["metadata"]["uid"], attempt_of(found)
        for *live, session, is_cluster in self.world.observer.execute(LIVE).fetchall():
            if AttemptKey(*live) == key and (session == uid or is_cluster):
                self.world.violations.append(f"P3 the pod of a live attempt is removed: {key}")

    def asks(self, request: "Request", called: str) -> None:
        now = self.world.elapsed
        times = self.asked.setdefault((id(request.road), called), deque(maxlen=CREATES_MAX + 1))
        times.append(now)
        if len(times) > CREATES_MAX and now - times[0] < CREATES_IN_S:
            self.world.violations.append(f"P2 {called} was asked for {len(times)} times at once")

    # -- after each step

    def check(self) -> None:
        self.bound_to_their_own()
        self.started_after_all()
        for process in self.world.schedulers:
            if process.scheduler is not None and not process.busy:
                self.counted(process.executor().cluster)

    def bound_to_their_own(self) -> None:
        """A UID is the session of one attempt, whose pod has its name."""
        for *live, session, _ in self.world.observer.execute(LIVE).fetchall():
            place = self.world.nodes.places.get(session)
            own = pod_name(self.world.settings, "default", AttemptKey(*live))
            assert place is None or place.name == own, f"P1 {live} is bound to pod {place.name}"

    def counted(self, cluster: Any) -> None:
        for namespace, pods in cluster.pods.items():
            counted, anew = told(cluster.tally(namespace)), told(Tally.of(pods.values()))
            assert counted == anew, f"P6 pods are miscounted: {counted} instead of {anew}"

    def started_after_all(self) -> None:
        causes = [*STUCK_CAUSES, NEVER_STARTED]
        for key in self.world.observer.execute(NOT_STARTED, [causes]).fetchall():
            ran = AttemptKey(*key) in self.world.truth.ran
            assert not ran, f"P7 {key} ended because it never started, and it ran"

    # -- in a calm world

    def waiting(self) -> bool:
        return bool(self.world.api.requests) or bool(self.world.observer.execute(LIVE).fetchone())

    def calm(self) -> None:
        """S4, P5."""
        now, live = self.world.elapsed, self.live()
        there = {pod["metadata"]["uid"]: pod for pod in self.world.nodes.pods()}
        for uid, pod in there.items():
            session, is_cluster = live.get(attempt_of(pod), ("", False))
            if session == uid or is_cluster or "deletionTimestamp" in pod["metadata"]:
                self.unwanted.pop(uid, None)
            else:
                since = self.unwanted.setdefault(uid, now)
                called = pod["metadata"]["name"]
                assert now - since < UNWANTED_S_MAX, f"S4 nobody wants pod {called}"
            if is_cluster:
                self.says_why(pod, attempt_of(pod))
        self.unwanted = {uid: since for uid, since in self.unwanted.items() if uid in there}

    def live(self) -> dict[AttemptKey, tuple[str, bool]]:
        found = self.world.observer.execute(LIVE).fetchall()
        return {AttemptKey(*key): (session, is_cluster) for *key, session, is_cluster in found}

    def says_why(self, pod: Object, key: AttemptKey) -> None:
        """What a scheduler knows of a pod that does not start is to be seen soon."""
        if self.world.schedulers[0].scheduler is None:
            return
        meta, cluster = pod["metadata"], self.world.schedulers[0].executor().cluster
        known = cluster.pods.get(meta["namespace"], {}).get(meta["name"])
        if known is None or known.uid != meta["uid"] or why_pending(known) is None:
            return
        since = self.known_since.setdefault(meta["uid"], self.world.elapsed)
        values = [key.run_id, key.task_id, key.map_index, key.number]
        row = self.world.observer.execute(BLOCKED, values).fetchone()
        is_late = self.world.elapsed - since > REASON_S_MAX
        assert row is None or row[0] or not is_late, f"P5 nobody sees why {name(key)} waits"

    # -- in the end

    def remains(self) -> str:
        """Return what is left of pods, in the cluster and in what is known of it."""
        if left := [pod["metadata"]["name"] for pod in self.world.nodes.pods()]:
            return f"S4 pods are left: {left}"
        if self.world.schedulers[0].scheduler is None:
            return "no scheduler is there"
        known = self.world.schedulers[0].executor().cluster.pods
        if there := {called: sorted(pods) for called, pods in known.items() if pods}:
            return f"P6 pods are known that are not there: {there}"
        return "S7 requests are under way" if self.world.api.requests else ""

    def end(self) -> None:
        assert not (left := self.remains()), left
        for *key, cause in self.world.observer.execute(FAILED).fetchall():
            self.failed_itself(AttemptKey(*key), cause)
        values = {"stuck": STUCK_CAUSES, "most": self.world.settings.pending_requeues}
        lost = self.world.observer.execute(LOST, values).fetchall()
        assert not lost, f"P5 replaced again and again: {lost}"

    def never_started(self) -> set[str]:
        """Return the runs of which a task failed because its pods did not start."""
        found = self.world.observer.execute(FAILED).fetchall()
        return {run_id for run_id, *_, cause in found if cause in STUCK_CAUSES}

    def failed_itself(self, key: AttemptKey, cause: str) -> None:
        ended = self.world.truth.ends.get(key)
        stuck = cause in STUCK_CAUSES and key not in self.world.truth.ran
        known = ended == "failed" or stuck or key in self.world.truth.by_cluster
        assert known, f"P4 {name(key)} failed ({cause}), and its task brought {ended}"


def told(tally: Tally) -> tuple[Any, ...]:
    sizes = {called: counts for called, counts in tally.sizes.items() if counts}
    return tally.live, tally.dags, sizes
