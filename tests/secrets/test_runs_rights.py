"""Questions about runs, step by step: whose DAG it is, how much one may name, and which run is whose."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import msgspec
import pytest

from headway.core.grants import GrantKind
from headway.errors import NotAllowed, NotFound
from headway.runs import again, new
from headway.secrets import runs
from headway.secrets.runs import (
    BYTES_MAX,
    INSTANCES_MAX,
    NAME_BYTES_MAX,
    NOTE_CHARS_MAX,
    RUNS_MAX,
    Asker,
    Instances,
    NotGranted,
    OfDag,
    Runs,
    Start,
    check_texts,
    given_id,
    missing,
    owner,
    read,
)
from headway.store import audit, dags, notes, questions
from headway.store.questions import AskedDag, AskedInstance, AskedRun
from tests.api import seed

NOW: Final = datetime(2026, 3, 1, 5, tzinfo=UTC)
CONN: Final[Any] = object()
ASKER: Final = Asker(1, "sales", "d", "r1", "t0", -1)
RUN: Final = AskedRun(
    "r9", "manual:nightly", "theirs", 1, "success", "manual", NOW, NOW, NOW, NOW, "user:ann", None,
    None, None, None, None,
)  # fmt: skip


class World:
    """Two teams in a database: 1 has the DAG ``d``, 2 has ``theirs``; and what was granted to team 1."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.granted: set[tuple[str, GrantKind]] = set()
        self.runs: dict[tuple[int, str], list[AskedRun]] = {(2, "theirs"): [RUN], (1, "d"): []}
        self.rows: list[AskedInstance] = []
        self.spec = seed.spec("d")
        self.asked: list[Any] = []
        self.done: list[Any] = []
        note = self.done.append
        for name in ("has", "granting", "by_id", "by_date", "before", "instances", "dag"):
            monkeypatch.setattr(questions, name, getattr(self, name))
        monkeypatch.setattr(dags, "current", lambda _, team_id, dag_id: (self.spec, 1))
        monkeypatch.setattr(dags, "first_seen", lambda _, team_id, dag_id: None)
        monkeypatch.setattr(new, "trigger", self.trigger)
        monkeypatch.setattr(
            again,
            "clear",
            lambda _, team_id, run_id, graphs, actor: note(("clear", team_id, run_id, actor)),
        )
        monkeypatch.setattr(notes, "write", lambda _, *of: note(("note", *of[:4])))
        monkeypatch.setattr(audit, "write", lambda _, team_id, entry: note((team_id, entry)))
        monkeypatch.setattr(runs, "clock", lambda _: NOW)

    def has(self, _: Any, team_id: int, dag_id: str) -> bool:
        return (team_id, dag_id) in self.runs

    def granting(self, _: Any, team: str, other: Any, kind: GrantKind) -> int | None:
        assert team == "sales"
        return 2 if (str(other), kind) in self.granted else None

    def by_id(self, _: Any, team_id: int, dag_id: str, ids: Any, *, whole: bool, limit: int) -> Any:
        self.asked.append(("by_id", team_id, dag_id, list(ids), whole, limit))
        found = self.runs.get((team_id, dag_id), [])
        return [r for r in found if r.run_id in ids or r.run_key.removeprefix("manual:") in ids][
            :limit
        ]

    def by_date(self, _: Any, team_id: int, dag_id: str, dates: Any, limit: int) -> Any:
        self.asked.append(("by_date", team_id, dag_id, sorted(dates), limit))
        return [run for run in self.runs[team_id, dag_id] if run.logical_date in dates]

    def before(
        self, _: Any, team_id: int, dag_id: str, date: Any, state: Any, *, whole: bool, limit: int
    ) -> Any:
        self.asked.append(("before", team_id, dag_id, date, state, whole, limit))
        return self.runs[team_id, dag_id][:limit]

    def instances(self, _: Any, team_id: int, ids: Any, tasks: Any, limit: int) -> Any:
        self.asked.append(("instances", team_id, ids, tasks, limit))
        return self.rows

    def dag(self, _: Any, team_id: int, dag_id: str) -> AskedDag:
        return AskedDag(1, f"bundle of {team_id}", f"{dag_id}.py", False, NOW)

    def trigger(self, _: Any, team_id: int, dag_id: str, wanted: Any, actor: str) -> list[str]:
        (request,) = wanted
        self.done.append(("trigger", team_id, dag_id, request, actor))
        self.runs[team_id, dag_id].append(
            replace(RUN, run_id="made", run_key=f"manual:{request.key}", created_by=actor)
        )
        return ["made"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    return World(monkeypatch)


def ask(kind: str, dag_id: str = "d", **question: Any) -> Any:
    text = msgspec.json.encode({"ask": kind, "dag_id": dag_id, **question}).decode()
    return msgspec.json.decode(read(CONN, ASKER, text))


def refusal(question: Any) -> str:
    with pytest.raises(NotAllowed) as caught:
        check_texts(question)
    return caught.value.message


# -- how much a question may name


def test_a_question_has_a_length() -> None:
    with pytest.raises(NotAllowed, match="has more than 1 MB"):
        read(CONN, ASKER, " " * (BYTES_MAX + 1))
    for odd in (" " * BYTES_MAX, "", "{", "[]", '{"ask": "drop", "dag_id": "d"}', "[" * 100_000):
        with pytest.raises(NotAllowed, match="the question about runs cannot be read"):
            read(CONN, ASKER, odd)


@pytest.mark.parametrize(
    "good",
    [
        Start("d", "x" * NAME_BYTES_MAX, note="n"),
        Start("d", "x", logical_date=NOW),
        Runs("d", run_ids=["x"] * (2 * RUNS_MAX - 3)),
        Runs("d", dates=[NOW], before=NOW, state="success"),
        Instances("d", ["r"], task_ids=["t"], group="g"),
        OfDag("d"),
    ],
)
def test_what_the_database_can_carry_is_let_through(good: Any) -> None:
    check_texts(good)


NAIVE: Final = NOW.replace(tzinfo=None)
EARLY: Final = datetime(1, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("odd", "why"),
    [
        (Start("d\0", "x"), "a name in the question contains the character NUL"),
        (Start("d", "x\0"), "a name in the question contains the character NUL"),
        (Start("d", "x", note="n\0"), "a name in the question contains the character NUL"),
        (Start("d", "x", logical_date=NAIVE), "a date in the question has no time zone"),
        (Start("d", "x" * (NAME_BYTES_MAX + 1)), "the id of the run is 1,501 bytes long; the limit is 1,500"),
        (Start("d", "\u00e9" * NAME_BYTES_MAX), "the id of the run is 3,000 bytes long"),
        (Runs("d", run_ids=["a", "b\0"]), "NUL"),
        (Runs("d", state="s\0"), "NUL"),
        (Runs("d", dates=[NOW, EARLY]), "a date in the question is not between"),
        (Runs("d", before=NAIVE), "no time zone"),
        (Runs("d", run_ids=["x"] * (2 * RUNS_MAX - 2)), "names more than 1,000 runs, dates or tasks"),
        (Runs("d", dates=[NOW] * (2 * RUNS_MAX)), "names more than 1,000 runs"),
        (Instances("d", ["r\0"]), "NUL"),
        (Instances("d", ["r"], task_ids=["t\0"]), "NUL"),
        (Instances("d", ["r"], group="g\0"), "NUL"),
        (Instances("d", ["r"], task_ids=["t"] * (2 * RUNS_MAX)), "names more than"),
        (OfDag("\ud800"), "lone surrogate"),
    ],
)  # fmt: skip
def test_what_it_cannot_carry_is_told(odd: Any, why: str) -> None:
    assert why in refusal(odd)


def test_a_question_is_looked_at_before_it_is_answered(world: World) -> None:
    with pytest.raises(NotAllowed, match="NUL"):
        ask("dag", "d\0")
    with pytest.raises(NotAllowed, match="the id of the run is"):
        ask("start", run_id="x" * (NAME_BYTES_MAX + 1))
    assert (world.asked, world.done) == ([], [])
    assert "lone surrogate" in refusal(Start("d", "\ud800"))


# -- whose DAG it is


def test_a_name_without_a_team_is_of_the_own_one(world: World) -> None:
    world.granted = {("@shop/theirs", kind) for kind in GrantKind}
    assert owner(CONN, ASKER, "d", GrantKind.START) == (1, "d")
    assert owner(CONN, ASKER, "theirs", GrantKind.START) is None


@pytest.mark.parametrize("kind", [GrantKind.SEE_RUNS, GrantKind.START])
def test_a_grant_opens_what_it_names(world: World, kind: GrantKind) -> None:
    named = "@shop/theirs"
    assert owner(CONN, ASKER, named, kind) is None
    world.granted = {(named, other) for other in GrantKind if other != kind}
    assert owner(CONN, ASKER, named, kind) is None
    world.granted = {(named, kind)}
    assert owner(CONN, ASKER, named, kind) == (2, "theirs")


def test_seeing_and_starting_are_two_grants(world: World) -> None:
    named = "@shop/theirs"
    questions_ = {"runs": {"run_ids": ["r9"]}, "instances": {"run_ids": ["r9"]}, "dag": {}}
    world.granted = {(named, GrantKind.START)}
    assert [ask(kind, named, **more) for kind, more in questions_.items()] == [None] * 3
    world.granted = {(named, GrantKind.SEE_RUNS)}
    (told,) = ask("runs", named, run_ids=["r9"])
    assert (told["run_id"], told["dag_id"]) == ("r9", named)
    assert ask("dag", named)["bundle_version"] == "bundle of 2"
    assert ask("dag", named)["dag_id"] == named
    with pytest.raises(NotGranted, match="to ask for it: headway grant ask shop start theirs"):
        ask("start", named, run_id="x")
    assert world.done == []


def test_what_is_missing_says_what_to_do() -> None:
    assert isinstance(missing(ASKER, "x"), NotFound)
    assert "the team sales has no DAG 'x'" in str(missing(ASKER, "x"))
    assert isinstance(missing(ASKER, "@shop/x"), NotGranted)
    assert "the team sales may not start @shop/x" in str(missing(ASKER, "@shop/x"))


def test_a_task_instance_has_one_name_and_a_mapped_one_its_index() -> None:
    assert ASKER.name == "task:d/r1/t0"
    assert [msgspec.structs.replace(ASKER, map_index=n).name for n in (0, 3)] == [
        "task:d/r1/t0[0]",
        "task:d/r1/t0[3]",
    ]


# -- what is told of runs


def of_mine(world: World, count: int = 3) -> None:
    world.runs[1, "d"] = [
        replace(RUN, run_id=f"m{n}", run_key=f"manual:m{n}", dag_id="d", logical_date=NOW + timedelta(days=n),
                state="failed" if n else "success")
        for n in range(count)
    ]  # fmt: skip


def test_runs_are_bounded(world: World) -> None:
    of_mine(world)
    ask("runs", run_ids=["m0"], limit=5_000)
    ask("runs", run_ids=["m0"], limit=-1, whole=True)
    ask("runs", before=NOW + timedelta(hours=1), limit=2)
    ask("runs")
    assert world.asked == [
        ("by_id", 1, "d", ["m0"], False, RUNS_MAX + 1),
        ("by_id", 1, "d", ["m0"], True, 2),
        ("before", 1, "d", NOW + timedelta(hours=1), None, False, 2),
        ("before", 1, "d", None, None, False, RUNS_MAX),
    ]
    assert len(ask("runs", run_ids=["m0", "m1"], limit=2)) == 2
    with pytest.raises(NotAllowed, match="more than 1 runs; name run ids or logical dates"):
        ask("runs", run_ids=["m0", "m1"], limit=1)
    assert [each["run_id"] for each in ask("runs", run_ids=["m0", "m1"], state="failed")] == ["m1"]


def test_dates_are_those_that_were_asked_for(world: World) -> None:
    of_mine(world)
    asked = [NOW, (NOW + timedelta(days=1)).astimezone(timezone(timedelta(hours=2)))]
    assert [each["run_id"] for each in ask("runs", dates=asked)] == ["m0", "m1"]
    assert world.asked == [("by_date", 1, "d", asked, INSTANCES_MAX)]
    assert [each["run_id"] for each in ask("runs", dates=asked, state="failed")] == ["m1"]


def test_a_dag_may_date_its_runs_by_the_start_of_the_interval(world: World) -> None:
    day = timedelta(days=1)
    world.spec = msgspec.structs.replace(world.spec, dated_by_start=True)
    fire = replace(
        RUN, trigger="schedule", logical_date=NOW + day, interval_start=NOW, interval_end=NOW + day
    )
    by_hand = replace(RUN, run_id="m", trigger="manual", logical_date=NOW, interval_start=NOW - day)
    world.runs[1, "d"] = [fire, by_hand]
    found = ask("runs", dates=[NOW])
    assert [(each["run_id"], each["logical_date"]) for each in found] == [
        ("r9", "2026-03-01T05:00:00Z"),
        ("m", "2026-03-01T05:00:00Z"),
    ]
    assert [each["fire"] for each in found] == ["2026-03-02T05:00:00Z", "2026-03-01T05:00:00Z"]
    assert world.asked == [("by_date", 1, "d", [NOW, NOW + day], INSTANCES_MAX)]
    assert ask("runs", dates=[NOW + day]) == [], "known by its start only"
    world.asked.clear()
    ask("runs", before=NOW)
    ask("runs", before=NOW + timedelta(hours=1))
    assert [each[3] for each in world.asked] == [NOW + day, NOW + timedelta(hours=1)]
    world.runs[1, "d"] = [replace(fire, trigger="backfill")]
    assert len(ask("runs", dates=[NOW])) == 1


def test_what_is_told_of_a_run(world: World) -> None:
    run = replace(RUN, note="n", params='{"size": 5}', partition="p", started_at=NOW)
    world.runs[1, "d"] = [run]
    (told,) = ask("runs", run_ids=["r9"], whole=True)
    at = "2026-03-01T05:00:00Z"
    assert told == {
        "run_id": "r9", "given_id": "nightly", "dag_id": "d", "logical_date": at, "fire": at, "interval_start": at,
        "interval_end": at, "state": "success", "trigger": "manual", "started_at": at, "ended_at": None, "note": "n",
        "params": {"size": 5}, "partition": "p",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("key", "given"),
    [("manual:x", "x"), ("manual:r9", None), ("schedule:x", None), ("manual:", "")],
)
def test_a_given_id_is_what_somebody_gave(key: str, given: str | None) -> None:
    assert given_id(replace(RUN, run_key=key)) == given


# -- instances


def instance(task_id: str, map_index: int = -1) -> Any:
    return AskedInstance("r9", task_id, map_index, "success", 1, None, None)


def test_instances_are_of_runs_of_the_dag_and_bounded(world: World) -> None:
    of_mine(world)
    world.rows = [instance("t"), instance("g.a", 0), instance("g.a", 1), instance("g2.b")]

    def names(**more: Any) -> list[tuple[str, int]]:
        found = ask("instances", run_ids=["m0", "r9"], **more)
        return [(each["task_id"], each["map_index"]) for each in found]

    assert names() == [("t", -1), ("g.a", 0), ("g.a", 1), ("g2.b", -1)]
    assert world.asked == [
        ("by_id", 1, "d", ["m0", "r9"], False, RUNS_MAX + 1),
        ("instances", 1, ["m0"], None, INSTANCES_MAX + 1),
    ]
    assert names(group="g") == [("g.a", 0), ("g.a", 1)]
    assert names(map_index=1) == [("g.a", 1)]
    assert names(map_index=-1, group="g2") == [("g2.b", -1)]
    assert names(task_ids=["t"]) != []
    assert world.asked[-1] == ("instances", 1, ["m0"], ["t"], INSTANCES_MAX + 1)
    world.rows = [instance("t")] * INSTANCES_MAX
    assert len(names()) == INSTANCES_MAX
    world.rows.append(instance("t"))
    with pytest.raises(NotAllowed, match="more than 10,000 task instances"):
        names()


def test_what_is_told_of_a_dag(world: World) -> None:
    assert ask("dag") == {
        "dag_id": "d", "paused": False, "bundle_version": "bundle of 1", "file": "d.py", "owner": None,
        "tags": ["demo"], "next_fire_at": "2026-03-01T05:00:00Z",
    } | {"owner": ask("dag")["owner"]}  # fmt: skip
    assert ask("dag", "none") is None


# -- starting


def entry(action: str, subject: str, dag_id: str) -> audit.Entry:
    return audit.Entry(
        actor="task:d/r1/t0",
        via="agent",
        action=action,
        subject=subject,
        address="",
        detail={"dag_id": dag_id, "team": "sales"},
    )


def test_a_run_is_started_where_the_dag_is_and_told_there(world: World) -> None:
    world.granted = {("@shop/theirs", GrantKind.START)}
    asked = {"run_id": "x", "params": {"a": 1}, "logical_date": NOW, "partition": "p"}
    told = ask("start", "@shop/theirs", note="n" * (NOTE_CHARS_MAX + 5), **asked)
    assert told == {"run_id": "made", "logical_date": "2026-03-01T05:00:00Z", "exists": False}
    (_, team_id, dag_id, request, actor), note, told_to = world.done
    assert (team_id, dag_id, actor) == (2, "theirs", "task:d/r1/t0")
    assert (request.key, request.params, request.partition) == ("x", {"a": 1}, "p")
    assert request.logical_date == NOW.isoformat()
    assert note == ("note", 2, "made", "n" * NOTE_CHARS_MAX, "task:d/r1/t0")
    assert told_to == (2, entry("dags.trigger", "made", "theirs"))
    world.done.clear()
    assert ask("start", "@shop/theirs", **asked) == told, "the same question, asked again"
    assert world.done == []


def test_a_run_without_more_is_started_so(world: World) -> None:
    assert ask("start", run_id="x")["run_id"] == "made"
    (_, team_id, dag_id, request, _), told_to = world.done
    assert (team_id, dag_id, request.logical_date, request.params) == (1, "d", None, {})
    assert told_to[0] == 1


def test_a_run_that_somebody_else_started_is_told_to_be_there(world: World) -> None:
    world.granted = {("@shop/theirs", GrantKind.START)}
    told = ask("start", "@shop/theirs", run_id="nightly", note="n")
    assert told == {"run_id": "r9", "logical_date": "2026-03-01T05:00:00Z", "exists": True}
    assert world.done == []
    assert world.asked == [("by_id", 2, "theirs", ["nightly"], False, 1)]


def test_a_run_of_the_own_team_is_run_again(world: World) -> None:
    of_mine(world)
    told = ask("start", run_id="m0", again=True, note="n")
    assert told == {"run_id": "m0", "logical_date": "2026-03-01T05:00:00Z", "exists": False}
    assert world.done == [
        ("clear", 1, "m0", "task:d/r1/t0"),
        ("note", 1, "m0", "n", "task:d/r1/t0"),
        (1, entry("runs.clear", "m0", "d")),
    ]
    world.done.clear()
    ask("start", run_id="new", again=True)
    assert world.done[0][0] == "trigger", "there is none to run again"


@pytest.mark.parametrize(
    ("by", "may"),
    [
        ("task:d/m1/t0", True),
        ("task:d/m1/t0[3]", True),
        ("task:d/other/t0", False),
        ("task:theirs/m1/t0", False),
        ("task:d/named/t0", False),
        ("user:d/m1/t0", False),
        ("user:ann", False),
        ("task:", False),
        ("task:d", False),
        ("", False),
    ],
)
def test_a_run_of_another_team_only_if_a_task_of_ours_started_it(
    world: World, by: str, may: bool
) -> None:
    of_mine(world)
    world.runs[1, "d"].append(replace(RUN, run_id="m7", run_key="manual:named"))
    world.runs[2, "theirs"] = [replace(RUN, created_by=by)]
    world.granted = {("@shop/theirs", GrantKind.START)}
    if may:
        ask("start", "@shop/theirs", run_id="r9", again=True)
        assert world.done[0] == ("clear", 2, "r9", "task:d/r1/t0")
        return
    with pytest.raises(
        NotAllowed, match="was not started by the team sales, so it may not run it again"
    ):
        ask("start", "@shop/theirs", run_id="r9", again=True, note="n")
    assert world.done == []


def test_a_graph_is_that_of_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def spec(_: Any, *of: Any) -> Any:
        asked.append(of)
        return seed.spec("d")

    monkeypatch.setattr(dags, "spec", spec)
    assert runs.graphs(CONN)(2, "theirs", 7) is not None
    assert asked == [(2, "theirs", 7)]
