"""Files of agents that share no folder with the server: what one may read and leave, and how it arrives."""

import threading
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from psycopg import Connection

from headway import bundle, clock
from headway.agent.errands import Errands
from headway.agent.frames import frame
from headway.agent.loop import Loop
from headway.agent.protocol import (
    PIECE_BYTES,
    AttemptKey,
    Ended,
    Errand,
    Grants,
    Piece,
    Put,
    WantBundle,
    WantResult,
    XComRef,
    XComValue,
)
from headway.agent.supplies import DAMAGED, Supplies
from headway.bundle import Entry
from headway.engine.opening import executors_of
from headway.engine.scheduler import Scheduler
from headway.executors.agents.files import LEFT_S, OPEN_MAX, Files, Job
from headway.executors.agents.gateway import SERVED_MAX
from headway.paths import log_path, xcom_path
from tests.executors.test_credentials import greeted, teams
from tests.scenarios.test_gateway import Peer
from tests.scenarios.world import trigger

__all__ = ["teams"]

DEADLINE_S = 60.0
CONTENT = b"x" * (PIECE_BYTES + 10)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A data directory with a bundle of a large file, which the version ``version`` is of."""
    for folder in ("blobs", "bundles", "logs", "xcom"):
        (tmp_path / folder).mkdir()
    entries = {"a.py": Entry(sha256(CONTENT).hexdigest(), len(CONTENT), executable=False)}
    (tmp_path / "blobs" / entries["a.py"].blob).write_bytes(CONTENT)
    version = bundle.version_of(entries)
    bundle.list_file(tmp_path, version).write_bytes(bundle.text_of(entries))
    return tmp_path


def version_in(data: Path) -> str:
    (listed,) = (data / "bundles").glob("*.files")
    return listed.name.removesuffix(".files")


@pytest.fixture
def scheduler(dsn: str, tmp_path: Path, data: Path) -> Iterator[Scheduler]:
    scheduler = Scheduler(dsn, executors_of(f"unix:{tmp_path}/g.sock", data))
    scheduler.register()
    yield scheduler
    for peer in Peer.all:
        peer.sock.close()
    Peer.all.clear()
    for executor in scheduler.executors:
        executor.close()
    scheduler.conn.close()
    scheduler.ears.close()
    scheduler.selector.close()


def answer(scheduler: Scheduler, agent: Peer, errand: Errand) -> Piece:
    agent.say(errand)
    deadline = clock.monotonic() + DEADLINE_S
    while clock.monotonic() < deadline:
        scheduler.serve()
        for piece in agent.of(Piece):
            if piece.request == errand.request:
                return piece
        scheduler.wait(0.05)
    raise AssertionError(f"no answer to {errand}")


def granted(scheduler: Scheduler, agent: Peer) -> tuple[AttemptKey, str]:
    scheduler.tick()
    scheduler.sweep()
    (grants,) = agent.of(Grants)
    (grant,) = grants.grants
    return grant.key, grant.token


@pytest.mark.usefixtures("teams")
def test_an_agent_gets_the_bundles_of_its_team_piece_by_piece(
    scheduler: Scheduler, owner_conn: Connection[Any], tmp_path: Path, data: Path
) -> None:
    version = version_in(data)
    owner_conn.execute(
        "INSERT INTO bundle (team_id, version, files, bytes, created_at) VALUES (1, %s, 1, 1, now())",
        [version],
    )
    of_a = greeted(scheduler, tmp_path, "a", "sa")
    listed = answer(scheduler, of_a, WantBundle(1, version))
    (entry,) = bundle.parsed(listed.data).values()
    first = answer(scheduler, of_a, WantBundle(2, version, [entry.blob]))
    rest = answer(scheduler, of_a, WantBundle(3, version, [entry.blob], len(first.data)))
    assert first.data + rest.data == CONTENT
    assert first.size == len(CONTENT)
    refused = answer(scheduler, of_a, WantBundle(4, version, ["../run/token"])).refused
    assert refused == "the bundle does not have these files"
    of_b = greeted(scheduler, tmp_path, "b", "sb")
    assert answer(scheduler, of_b, WantBundle(1, version)).refused == "the team has no such bundle"


@pytest.mark.usefixtures("teams")
def test_an_agent_leaves_files_of_the_attempts_that_are_bound_to_it(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, data: Path
) -> None:
    trigger(conn, team_id=1)
    of_a = greeted(scheduler, tmp_path, "a", "sa")
    key, token = granted(scheduler, of_a)
    for request, put in enumerate(
        [
            Put(0, key, "log", b"one\n"),
            Put(0, key, "log", b"two\n", 4, last=True),
            Put(0, key, "log", b"two\n", 4, last=True),  # its answer was lost
            Put(0, key, "result", b"[1,", last=False),
            Put(0, key, "result", b"2]", 3, "return_value", last=True),
            Put(0, key, "result", b"2]", 3, "return_value", last=True),
        ],
        1,
    ):
        put = msgspec.structs.replace(put, request=request, name=put.name or "return_value")
        assert answer(scheduler, of_a, put).refused == ""
    file = xcom_path(key.run_id, "x", -1, 1) + ".json"
    assert (data / log_path(key.run_id, "x", -1, 1)).read_text() == "one\ntwo\n"
    assert (data / file).read_text() == "[1,2]"
    gap = answer(scheduler, of_a, Put(10, key, "log", b"!", 100))
    assert "a piece of the file is missing" in gap.refused
    xcoms = [XComValue("return_value", None, file, 5, 2)]
    of_a.say(Ended(20, key, token, "success", "", xcoms=xcoms))
    scheduler.tick()

    of_b = greeted(scheduler, tmp_path, "b", "sb")
    ref = XComRef("x", "return_value", -1)
    assert answer(scheduler, of_a, WantResult(21, key.run_id, ref)).data == b"[1,2]"
    assert answer(scheduler, of_b, WantResult(1, key.run_id, ref)).refused
    assert "not bound" in answer(scheduler, of_b, Put(2, key, "log", b"!")).refused
    assert "not bound" in answer(scheduler, of_a, Put(22, key, "log", b"!")).refused  # it is over


@pytest.mark.usefixtures("teams")
def test_a_flood_of_log_pieces_of_one_team_holds_up_no_other(
    scheduler: Scheduler, conn: Connection[Any], tmp_path: Path, data: Path
) -> None:
    """The disk takes nothing of the one: what it sends too much is for later, and the other's log is stored."""
    for team_id in (1, 2):
        trigger(conn, team_id=team_id)
    of_a, of_b = (greeted(scheduler, tmp_path, each, f"s{each}") for each in "ab")
    scheduler.tick()
    scheduler.sweep()
    (key_a, key_b) = (each.of(Grants)[0].grants[0].key for each in (of_a, of_b))
    (executor,) = scheduler.executors
    asks = executor.errands.asks  # type: ignore[attr-defined]
    stored, gate = asks.service, threading.Event()

    def slow(team_id: int, session: str, job: Job) -> Piece:
        if team_id == 1:
            gate.wait(DEADLINE_S)
        return stored(team_id, session, job)  # type: ignore[no-any-return]

    asks.service = slow
    count = OPEN_MAX + 3 * SERVED_MAX
    of_a.sock.sendall(
        b"".join(
            frame(msgspec.msgpack.encode(Put(number, key_a, "log", b"a")))
            for number in range(count)
        )
    )
    scheduler.wait(1.0)
    assert answer(scheduler, of_b, Put(1, key_b, "log", b"of b\n", last=True)).refused == ""
    assert (data / log_path(key_b.run_id, "x", -1, 1)).read_text() == "of b\n"
    assert not [piece for piece in of_a.of(Piece) if not piece.again]
    answer(scheduler, of_a, Put(count, key_a, "log", b"a"))  # all before it was heard
    assert len([piece for piece in of_a.of(Piece) if piece.again]) > 3 * SERVED_MAX
    gate.set()


def test_no_link_leads_out(data: Path) -> None:
    key = AttemptKey("r", "t", -1, 1)
    (data / "secret").write_text("kept")
    place = data / log_path("r", "t", -1, 1)
    place.parent.mkdir(parents=True)
    place.symlink_to(data / "secret")
    (data / "xcom" / "r").symlink_to(data / "logs")
    files = Files(data)

    for kind in ("log", "result"):
        piece = files.answer(1, "s", Job(Put(1, key, kind, b"lost", name="k", last=True)))
        assert piece.refused
    assert (data / "secret").read_text() == "kept"


def test_a_log_that_nobody_completes_is_shipped_with_a_line_that_says_so(data: Path) -> None:

    files = Files(data, data / "spool")
    key = AttemptKey("r", "t", -1, 1)
    files.answer(1, "s", Job(Put(1, key, "log", b"one\n"), "team"))
    files.look(["s"], set)
    assert list((data / "spool").glob("*")) == []
    for one in files.unfinished.values():
        one.seen_at -= LEFT_S + 1
    files.look([], set)
    (spooled,) = (data / "spool").iterdir()
    assert "the agent ended before this log was closed" in spooled.read_text()


def test_a_log_of_an_agent_that_went_to_another_scheduler_is_completed_there(data: Path) -> None:
    key = AttemptKey("r", "t", -1, 1)
    here, there = Files(data, data / "spool"), Files(data, data / "spool")
    here.answer(1, "s", Job(Put(1, key, "log", b"one\n"), "team"))
    for one in here.unfinished.values():
        one.seen_at -= LEFT_S + 1
    here.look([], lambda sessions: set())  # the session goes on, elsewhere
    assert list((data / "spool").glob("*")) == []

    there.answer(1, "s", Job(Put(2, key, "log", b"two\n", offset=4, last=True), "team"))
    for one in here.unfinished.values():
        one.seen_at -= LEFT_S + 1
    here.look([], lambda sessions: set())
    assert here.unfinished == {}
    (spooled,) = (data / "spool").iterdir()
    assert spooled.read_text() == "one\ntwo\n"


class Line:
    """A connection that answers what the test says."""

    def __init__(self) -> None:
        self.sent: list[Any] = []

    def send(self, message: object) -> None:
        self.sent.append(message)


def test_what_was_damaged_on_its_way_is_not_kept(tmp_path: Path, data: Path) -> None:
    version, line = version_in(data), Line()
    text = bundle.list_file(data, version).read_bytes()
    errands = Errands(Loop(), line, lambda: True)  # type: ignore[arg-type]
    supplies = Supplies(tmp_path / "agent", errands)
    told: list[str] = []
    supplies.bring_bundle(version, told.append)
    errands.answered(Piece(line.sent[-1].request, text, len(text)))
    wrong = b"y" * len(CONTENT)
    errands.answered(Piece(line.sent[-1].request, wrong, len(wrong)))
    assert told == [DAMAGED]
    assert list((tmp_path / "agent" / "blobs").iterdir()) == []
    supplies.bring_bundle(version, told.append)
    errands.answered(Piece(line.sent[-1].request, text.replace(b"a.py", b"b.py"), len(text)))
    assert told == [DAMAGED, DAMAGED]
    supplies.bring_bundle(version, told.append)
    errands.answered(Piece(line.sent[-1].request, text, len(text)))
    errands.answered(Piece(line.sent[-1].request, CONTENT, len(CONTENT)))
    assert told[-1] == ""
    assert bundle.read_list(tmp_path / "agent", version)
