"""Which pods are let in: that of its own attempt, and those of a team's warm pool, by what the API server says."""

from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.agent.protocol import AttemptKey, Hello
from headway.executors.base import LEASE
from headway.executors.kubernetes import arrivals
from headway.executors.kubernetes.arrivals import Arrivals
from headway.executors.kubernetes.cluster import Proof, Refusal
from headway.executors.kubernetes.names import pod_name
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.shares import Share
from headway.store import attempts, sessions

KEY: Final = AttemptKey("r1", "t", -1, 1, 2)
SETTINGS: Final = Settings(image="i", listen="tcp:x:1", connect="tcp:x:1")
NAME: Final = pod_name(SETTINGS, "sales", KEY)
NOW: Final = object()
CONN: Final[Any] = object()


class World:
    """The scheduler, its agents, the cluster and the database, as far as a pod that knocks meets them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Any] = []
        self.opens, self.takes, self.fails = True, True, False
        self.links: dict[str, Any] = {}
        self.reviews: list[Any] = []
        self.pods: dict[str, dict[str, Any]] = {}
        note = self.done.append
        gateway = SimpleNamespace(
            links=self.links,
            drop=lambda link: note("dropped"),
            refuse=lambda link, why: note(("refused for now", why)),
            welcome=lambda link, hello, team_id, token: note(("welcome", team_id, token)),
        )
        agents: Any = SimpleNamespace(
            gateway=gateway,
            rights=SimpleNamespace(
                refuse=lambda link, hello, why, team_id: note(("refused", why, team_id))
            ),
            send_bound=lambda link: note("bound"),
            triggers=SimpleNamespace(bring_level=lambda link: note("level")),
        )
        cluster: Any = SimpleNamespace(pods=self.pods, review=lambda *of: self.reviews.append(of))
        self.rebound: list[Any] = []  # the scheduler was told
        host: Any = SimpleNamespace(
            conn=CONN, safely=self.safely, rebound=lambda *of: self.rebound.append(of)
        )
        self.shares = {
            1: Share(1, "sales", "ns-sales", "s", {NAME: object()}),  # type: ignore[dict-item]
            2: Share(2, "shop", "ns-shop", "s"),
        }
        self.arrivals = Arrivals(
            host, SETTINGS, cluster, self.shares, agents, data="/data", name="cluster"
        )
        self.opened: list[Any] = []
        self.taken: list[Any] = []
        monkeypatch.setattr(arrivals, "transact", lambda conn, work, *of: work(conn, *of))
        monkeypatch.setattr(arrivals, "database_clock", lambda conn: NOW)
        monkeypatch.setattr(sessions, "open_session", self.open_session)
        monkeypatch.setattr(attempts, "take_over", self.take_over)
        monkeypatch.setattr(
            sessions, "close", lambda conn, of, now: note(("closed", of, now is NOW))
        )

    def safely(self, work: Any) -> bool:
        if self.fails:
            return False
        work()
        return True

    def open_session(self, *of: Any) -> bool:
        self.opened.append(of)
        return self.opens

    def take_over(self, *of: Any) -> int | None:
        self.taken.append(of)
        return 12 if self.takes else None

    def let_in(self, hello: Hello, proof: Proof | None) -> list[Any]:
        link: Any = SimpleNamespace(sock=SimpleNamespace(fileno=lambda: 3), host="10.0.0.7")
        self.arrivals.let_in(link, hello, proof)
        return self.done


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def hello(**more: Any) -> Hello:
    given: dict[str, Any] = {
        "session": "uid-1",
        "agent": "liar",
        "token": "token",
        "slots": 9,
        "attempt": KEY,
    }
    given |= {"processes": 1, "host": "node", "pid": 7, "held": []}
    return Hello(**given | more)


PROOF: Final = Proof("ns-sales", NAME, "uid-1")


# -- the pod of an attempt


def test_the_pod_of_an_attempt_is_bound_before_it_is_welcome(world: World) -> None:
    assert world.let_in(hello(), PROOF) == [("welcome", 1, ""), "bound"]
    assert world.opened == [(CONN, 1, "uid-1", NAME, "node", 7, 1, NOW, LEASE, "/data")], (
        "with one slot and the name of the cluster, whatever it says"
    )
    assert world.taken == [(CONN, 1, ("r1", "t", -1, 1, 2), "uid-1", "cluster")]
    assert world.shares[1].pending == {}
    assert world.rebound == [(1, KEY, "uid-1", 12)]
    world.done.clear()
    assert world.let_in(hello(), PROOF) == [("welcome", 1, ""), "bound"], "it comes again"


WHY: Final = "the pod is not that of its attempt"


@pytest.mark.parametrize(
    ("said", "proof", "told_to"),
    [
        ({}, None, None),
        ({"session": "uid-2"}, PROOF, 1),
        ({}, Proof("ns-sales", NAME, "uid-2"), 1),
        ({}, Proof("ns-sales", "another", "uid-1"), 1),
        ({}, Proof("ns-shop", NAME, "uid-1"), 2),
        ({}, Proof("ns-other", NAME, "uid-1"), None),
        ({"attempt": AttemptKey("r1", "t", -1, 2, 2)}, PROOF, 1),
        ({"attempt": AttemptKey("r1", "t", -1, 1, 3)}, PROOF, 1),
        ({"attempt": AttemptKey("r2", "t", -1, 1, 2)}, PROOF, 1),
        ({"attempt": AttemptKey("r1", "t", 0, 1, 2)}, PROOF, 1),
    ],
)
def test_a_pod_that_is_not_that_of_the_attempt_is_refused(
    world: World, said: dict[str, Any], proof: Proof | None, told_to: int | None
) -> None:
    assert world.let_in(hello(**said), proof) == [("refused", WHY, told_to)]
    assert (world.opened, world.taken) == ([], [])
    assert world.shares[1].pending != {}


def test_a_pod_that_comes_second_or_late_runs_nothing(world: World) -> None:
    why = "its attempt has ended, or another pod has it"
    world.takes = False
    assert world.let_in(hello(), PROOF) == [("closed", ["uid-1"], True), ("refused", why, 1)]
    world.done.clear()
    world.opens = False
    assert world.let_in(hello(), PROOF) == [("refused", why, 1)]
    assert len(world.taken) == 1
    assert world.rebound == []
    assert world.shares[1].pending != {}


# -- a warm pool


def pod(uid: str = "uid-9", *, is_warm: bool = True) -> Any:
    return SimpleNamespace(uid=uid, is_warm=is_warm)


WARM: Final = Proof("ns-sales", "warm-1", "uid-9")


def warm(**more: Any) -> Hello:
    return hello(**{"session": "s-9", "agent": "warm-1", "attempt": None, **more})


def test_a_pod_of_a_warm_pool_is_of_the_team_of_its_namespace(world: World) -> None:
    world.pods["ns-sales"] = {"warm-1": pod()}
    assert world.let_in(warm(), WARM) == [("welcome", 1, ""), "bound", "level"]
    who = (1, "s-9", "warm-1", "node", 7, 9)
    assert world.opened == [(CONN, *who, NOW, LEASE, "/data", "pod/uid-9", SETTINGS.queues)]
    assert world.taken == []


NO_POOL: Final = "it is not a pod of a warm pool"


@pytest.mark.parametrize(
    ("said", "proof", "told_to"),
    [
        ({}, None, None),
        ({}, Proof("ns-other", "warm-1", "uid-9"), None),
        ({"agent": "warm-2"}, WARM, 1),
        ({}, Proof("ns-sales", "warm-2", "uid-9"), 1),
    ],
)
def test_who_is_no_pod_of_a_pool_is_refused(
    world: World, said: dict[str, Any], proof: Proof | None, told_to: int | None
) -> None:
    world.pods["ns-sales"] = {"warm-1": pod(), "warm-2": pod(is_warm=False)}
    assert world.let_in(warm(**said), proof) == [("refused", NO_POOL, told_to)]
    assert world.opened == []


def test_the_pod_of_an_attempt_is_no_pod_of_the_pool(world: World) -> None:
    world.pods["ns-sales"] = {"warm-1": pod(is_warm=False)}
    assert world.let_in(warm(), WARM) == [("refused", NO_POOL, 1)]


@pytest.mark.parametrize(
    "pods",
    [
        {},
        {"ns-sales": {}},
        {"ns-sales": {"warm-1": pod("uid-8")}},
        {"ns-shop": {"warm-1": pod()}},
    ],
)
def test_a_pod_that_the_watch_has_not_told_comes_again(world: World, pods: Any) -> None:
    world.pods.update(pods)
    assert world.let_in(warm(), WARM) == ["dropped"]
    assert world.opened == []


@pytest.mark.parametrize(
    ("team_id", "opens", "good"), [(1, True, True), (2, True, False), (1, False, False)]
)
def test_a_session_of_another_team_or_that_is_over_is_not_taken(
    world: World, team_id: int, opens: bool, good: bool
) -> None:
    world.pods["ns-sales"] = {"warm-1": pod()}
    world.links["s-9"] = SimpleNamespace(team_id=team_id)
    world.opens = opens
    found = world.let_in(warm(), WARM)
    if good:
        assert found[0] == ("welcome", 1, "")
    else:
        assert found == [("refused for now", "the session's lease has ended")]
    assert len(world.opened) == (team_id == 1)


# -- knocking


def test_the_api_server_says_whose_token_it_is(world: World) -> None:
    is_open = [True]
    link: Any = SimpleNamespace(sock=SimpleNamespace(fileno=lambda: 3 if is_open[0] else -1))
    world.arrivals.knock(link, hello())
    ((token, answered, still_here),) = world.reviews
    assert (token, still_here()) == ("token", True)
    answered(PROOF)
    assert world.done == [("welcome", 1, ""), "bound"]
    world.done.clear()
    answered(Refusal(0, "", "it is away"))
    assert world.done == ["dropped"], "it comes again"
    world.done.clear()
    answered(None)
    assert world.done == [("refused", WHY, None)]
    world.done.clear()
    world.fails = True
    answered(PROOF)
    assert world.done == ["dropped"]
    world.done.clear()
    world.fails, is_open[0] = False, False
    answered(PROOF)
    assert (world.done, still_here()) == ([], False)
