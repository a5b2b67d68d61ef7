"""An agent of another machine tells an end when its files have arrived, in whatever order that is."""

from pathlib import Path
from typing import Any

import pytest

from headway.agent.attempts import Attempt, End
from headway.agent.protocol import (
    Ack,
    AttemptKey,
    Ended,
    Grant,
    Piece,
    Put,
    Refused,
    RunContext,
    XComValue,
)
from headway.agent.remote import RemoteAgent
from tests.agent.gateway import DAY


class Agent(RemoteAgent):
    """Keeps what it would send. ``puts``: pieces of files, and what is to be called when they have arrived."""

    def __init__(self, folder: Path) -> None:
        super().__init__(f"unix:{folder}/none", folder, "far", slots=2, processes=2, token="t")
        self.told: list[Ended] = []
        self.puts: list[tuple[Put, Any]] = []
        self.link.send = self.keep  # type: ignore[method-assign]
        self.errands.run = lambda put, done: self.puts.append((put, done))  # type: ignore

    def keep(self, message: Any) -> None:
        if isinstance(message, Ended):
            self.told.append(message)

    def arrive(self) -> None:
        """Let all pieces of now arrive."""
        puts, self.puts = self.puts, []
        for put, done in puts:
            done(piece_for(put))

    def finish(self, task_id: str, file: str | None) -> None:
        key = AttemptKey("r", task_id, -1, 1)
        run = RunContext("r", "t", "d", 1, "b", "", DAY, DAY, DAY, "manual", b"{}")
        attempt = self.attempts[key] = Attempt(Grant(key, f"token of {task_id}", "empty", []), run)
        values = [] if file is None else [XComValue("return_value", None, file=file)]
        self.end(attempt, End("success", "", xcoms=values))


def piece_for(put: Put) -> Piece:
    return Piece(put.request, size=put.offset + len(put.data))


@pytest.fixture
def agent(tmp_path: Path) -> Agent:
    (tmp_path / "result.json").write_text("[1]")
    return Agent(tmp_path)


def test_an_end_is_not_forgotten_because_a_later_one_is_stored(agent: Agent) -> None:
    """The result of the first is still on its way when the second is told, and acknowledged."""
    agent.finish("slow", "result.json")
    agent.finish("quick", None)
    assert [end.key.task_id for end in agent.told] == ["quick"]
    agent.receive(Ack(agent.told[-1].seq))
    agent.arrive()
    assert [end.key.task_id for end in agent.told] == ["quick", "slow"]
    assert agent.told[1].seq > agent.told[0].seq  # an acknowledgement says: all up to here
    agent.receive(Ack(agent.told[1].seq))
    assert agent.unacked == {}


def test_an_end_that_is_told_again_keeps_its_number(agent: Agent) -> None:
    agent.finish("slow", "result.json")
    agent.arrive()
    (first,) = agent.told
    agent.report_end(first.seq)
    assert [end.seq for end in agent.told] == [first.seq, first.seq]


def test_an_agent_that_meets_a_scheduler_of_an_earlier_release_goes_on(
    agent: Agent, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it runs is not lost: another scheduler is of its release, or will be."""
    agent.finish("quick", None)
    for _ in range(2):
        agent.receive(Refused("the agent uses protocol version 8, this scheduler 7", again=False))
    assert not agent.session.over
    assert agent.refusal is None
    assert len(agent.unacked) == 1
    assert capsys.readouterr().err.count("of an earlier release") == 1


def test_an_agent_of_an_earlier_release_than_its_scheduler_can_read_ends(agent: Agent) -> None:
    agent.receive(Refused("the agent uses protocol version 7, this scheduler 9", again=False))
    assert agent.refusal is not None
