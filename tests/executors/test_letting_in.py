"""Which agents are let in, and as whose: by their token, whatever they say; and for how long."""

from types import SimpleNamespace
from typing import Any, Final

import pytest

from headway.agent.protocol import Hello
from headway.executors.agents import rights
from headway.executors.agents.rights import Rights
from headway.executors.base import LEASE
from headway.store import api_tokens, sessions
from headway.store.clock import clock

NOW: Final = object()
CONN: Final[Any] = object()


class World:
    """A gateway and a database that are told beforehand what they answer."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.done: list[Any] = []
        self.known: tuple[int, str] | None = (2, "tok")
        self.alive = True
        self.void: set[tuple[int, str]] = set()
        self.asked: list[Any] = []
        self.links: dict[str, Any] = {}
        note = self.done.append
        gateway: Any = SimpleNamespace(
            links=self.links,
            refuse=lambda link, why, again=True: note(("refused", why, again)),
            welcome=lambda link, hello, team_id, token: note(("welcome", team_id, token)),
        )
        host: Any = SimpleNamespace(conn=CONN)
        self.rights = Rights(host, gateway, "/data", lambda link, hello: note("level"))
        assert self.rights.refusals.host is host
        self.rights.refusals = SimpleNamespace(  # type: ignore[assignment]
            note=lambda hello, host, why, team: note(("told", host, why, team))
        )
        monkeypatch.setattr(rights, "read", self.read)
        monkeypatch.setattr(rights, "transact", self.transact)

    def read(self, conn: Any, work: Any, *of: Any) -> Any:
        assert conn is CONN
        if work is clock:
            return NOW
        assert work is api_tokens.void
        self.asked.append(of)
        return self.void

    def transact(self, conn: Any, work: Any, *of: Any) -> Any:
        assert conn is CONN
        self.asked.append((work, *of))
        if work is api_tokens.identify_agent:
            return self.known
        assert work is sessions.open_session
        return self.alive


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


HELLO: Final = Hello("s", "agent", "secret", 4, 2, "host", 7, [], queues=("q", "default"))


def link(**more: Any) -> Any:
    return SimpleNamespace(**{"host": "10.0.0.7", "team_id": 2, "token_id": "tok", **more})


def test_an_agent_is_of_the_team_of_its_token(world: World) -> None:
    world.rights.let_in(link(), HELLO)
    assert world.asked == [
        (api_tokens.identify_agent, api_tokens.fingerprint("secret"), NOW),
        (
            *(sessions.open_session, 2, "s", "agent", "host", 7, 4, NOW, LEASE, "/data"),
            *("tok", ("q", "default")),
        ),
    ]
    assert world.done == [("welcome", 2, "tok"), "level"]


def test_an_unknown_token_is_refused_for_good_and_told(world: World) -> None:
    world.known = None
    world.rights.let_in(link(), HELLO)
    (refused, told) = world.done
    assert refused[0] == "refused"
    assert refused[1].startswith("the agent's token is unknown, expired or revoked")
    assert refused[2] is False
    assert told == ("told", "10.0.0.7", refused[1], None)
    assert len(world.asked) == 1, "no session"


def test_the_session_of_another_team_is_not_taken(world: World) -> None:
    world.links["s"] = link(team_id=1)
    world.rights.let_in(link(), HELLO)
    why = "the session belongs to another team"
    assert world.done == [("refused", why, True), ("told", "10.0.0.7", why, 2)]
    assert len(world.asked) == 1
    world.done.clear()
    world.links["s"] = link(team_id=2)
    world.rights.let_in(link(), HELLO)
    assert world.done[0] == ("welcome", 2, "tok"), "its own, on a new connection"


def test_a_session_that_is_over_is_not_gone_on_with(world: World) -> None:
    world.alive = False
    world.rights.let_in(link(), HELLO)
    assert world.done == [("refused", "the session's lease has ended", True)]


def test_a_refusal_of_a_known_team_is_told_there(world: World) -> None:
    world.rights.refuse(link(), HELLO, "no", 5)
    assert world.done == [("refused", "no", False), ("told", "10.0.0.7", "no", 5)]


def test_who_has_no_good_token_any_more_is_disconnected(world: World) -> None:
    world.rights.part_from_void()
    assert world.asked == []
    world.links.update(
        a=link(token_id="one"),
        b=link(token_id="two"),
        c=link(team_id=3, token_id="one"),
        pod=link(token_id=""),
    )
    world.void = {(2, "one")}
    world.rights.part_from_void()
    assert world.asked == [({(2, "one"), (2, "two"), (3, "one")}, NOW)], "pods have none"
    assert world.done == [("refused", "the agent's token is no longer valid", False)]
    world.links = {"pod": link(token_id="")}
