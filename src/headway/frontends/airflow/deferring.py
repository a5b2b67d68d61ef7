"""Deferred tasks of Airflow, and sensors in reschedule mode, as waits of Headway, and how they go on.

What a task has pushed and its ``next_kwargs`` travel with the wait. Waits for a time are ended by the clock of the
scheduler, without a trigger: the moment is its event. All other triggers run in a triggerer (``triggering``).
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from headway import clock
from headway.authoring.execute import Result
from headway.authoring.run import Deferral, Deferred, Run, Skip
from headway.authoring.values import from_json, to_json
from headway.frontends.airflow import asking, looking
from headway.frontends.airflow.runs import Runs
from headway.frontends.airflow.triggering import PREFIX
from headway.frontends.base import TaskFailed

TIME: Final = "airflow.providers.standard.triggers.temporal.DateTimeTrigger"
CARRIED_BYTES_MAX: Final = 256 * 1024
TIMED_OUT: Final = {"error": "Trigger timeout"}  # what Airflow's own scheduler tells the task
OF_A_DAG_FILE: Final = "unusual_prefix_"  # so Airflow names the modules of DAG files
FAILS: Final = "__fail__"


def rescheduled(run: Run, body: Mapping[str, Any]) -> Deferral:
    """Return the wait of a sensor that looks again later. Its task begins from the top then."""
    until = msgspec.convert(body["reschedule_date"], datetime)
    again = to_json({"looks": looks(run) + 1})
    return Deferral("time", {}, until=until, kwargs=again, reschedules=True)


def deferred(runs: Runs, body: Mapping[str, Any], pushed: Mapping[str, object]) -> Deferral:
    """Return the wait of a task that defers itself. Raises TaskFailed: it carries too much."""
    if body["classpath"] in looking.POLL_S:
        return looks_for_runs(runs, body, pushed)
    given = body.get("trigger_kwargs") or {}
    timeout = body.get("trigger_timeout")
    carried: dict[str, object] = {"next_kwargs": body.get("next_kwargs") or {}, "pushed": pushed}
    if body["classpath"] == TIME and "moment" in given:
        facts: dict[str, Any] = {}
        carried |= {"event": {"end": "success"} if ends(given) else {"payload": given["moment"]}}
    elif body["classpath"].startswith(OF_A_DAG_FILE):
        raise TaskFailed(
            f"{body['classpath'].rpartition('.')[2]} is a trigger in a DAG file, which no other process can import; "
            "move it to a module beside the file, as Airflow needs it, too",
            retry=False,
        )
    else:
        facts = {
            "trigger": PREFIX + body["classpath"],
            "what": "trigger " + body["classpath"].rpartition(".")[2],
            "kwargs": given,
            "every_s": None,
            "shared": False,
        }
    return Deferral(
        "trigger" if facts else "time",
        within(facts, "the arguments of its trigger"),
        until=None if facts else moment(given),
        timeout_s=None if timeout is None else msgspec.convert(timeout, timedelta).total_seconds(),
        overdue="resume",
        method=body["next_method"],
        kwargs=to_json(within(carried, "its kwargs and XComs")),
    )


def awaits_input(
    question: Mapping[str, Any], body: Mapping[str, Any], pushed: Mapping[str, object]
) -> Deferral:
    """Return the wait of a task that asks a person. Raises TaskFailed: it carries too much, or asks nothing."""
    if not question:
        raise TaskFailed("the task waits for a person, and did not say what it asks", retry=False)
    timeout = body.get("timeout")
    timeout_s = asking.seconds_of(body.get("trigger_kwargs") or {})
    if timeout is not None:
        timeout_s = msgspec.convert(timeout, timedelta).total_seconds()
    carried = {"next_kwargs": body.get("next_kwargs") or {}, "pushed": pushed, "asked": True}
    carried = within(carried, "its kwargs and XComs")
    return asking.deferral(question, timeout_s, body["next_method"], carried)


def looks_for_runs(runs: Runs, body: Mapping[str, Any], pushed: Mapping[str, object]) -> Deferral:
    """Return the wait of a task for runs of DAGs: until its next look, if it sees now that they have not ended."""
    timeout = body.get("trigger_timeout")
    ends = None if timeout is None else clock.now() + msgspec.convert(timeout, timedelta)
    carried = {
        "next_kwargs": body.get("next_kwargs") or {},
        "pushed": pushed,
        "looks_for": {
            "trigger": body["classpath"],
            "kwargs": body.get("trigger_kwargs") or {},
            "ends": None if ends is None else ends.isoformat(),
        },
    }
    return next_look(runs, body["next_method"], carried)


def next_look(runs: Runs, method: str | None, carried: dict[str, Any]) -> Deferral:
    """Look, and return the wait that follows: until the next look, or none at all, with what was seen."""
    from airflow.sdk.serde import deserialize, serialize

    looks_for, now = carried["looks_for"], clock.now()
    given: Any = deserialize(looks_for["kwargs"])
    seen = looking.look(runs, looks_for["trigger"], given)
    until = now
    if seen is None:
        until += timedelta(seconds=looking.poll_s(looks_for["trigger"], given))
    else:
        carried = {**carried, "event": {"payload": serialize(seen)}}
    ends = looks_for["ends"]
    left = None if ends is None else (datetime.fromisoformat(ends) - now).total_seconds()
    return Deferral(
        "time",
        {},
        until=until,
        timeout_s=None if left is None or seen is not None else max(0.0, left),
        overdue="resume",
        method=method,
        kwargs=to_json(within(carried, "its kwargs and XComs")),
    )


def looked(run: Run, dag: Any) -> Run:
    """Return the run with the event of its trigger, if that waits for runs. Raises Deferred: look again later."""
    resumed = run.resumed
    if resumed is None or resumed.timed_out or "looks_for" not in resumed.kwargs:
        return run
    if "event" in resumed.kwargs:
        return run
    again = next_look(Runs(run, dag), resumed.method, dict(resumed.kwargs))
    assert again.kwargs is not None
    carried: Any = from_json(again.kwargs)
    if "event" not in carried:
        raise Deferred(again)
    return run.going_on(resumed._replace(kwargs=carried))


def within(value: dict[str, Any], what: str) -> dict[str, Any]:
    size = len(to_json(value))
    if size > CARRIED_BYTES_MAX:
        raise TaskFailed(
            f"the task defers itself, and {what} have {size:,} bytes; the limit is {CARRIED_BYTES_MAX:,}",
            retry=False,
        )
    return value


def ends(given: Mapping[str, Any]) -> bool:
    return bool(given.get("end_from_trigger"))


def moment(given: Mapping[str, Any]) -> datetime:
    from airflow.sdk.serde import deserialize

    found = deserialize(given["moment"])
    assert isinstance(found, datetime), found
    return datetime.fromtimestamp(found.timestamp(), tz=clock.now().tzinfo)


def looks(run: Run) -> int:
    """Return how often the sensor has been rescheduled in this attempt."""
    return 0 if run.resumed is None else int(run.resumed.kwargs.get("looks", 0))


def pushed(run: Run) -> dict[str, object]:
    """Return the XComs of the processes before. A sensor that begins again has none, as in Airflow."""
    return {} if run.resumed is None else dict(run.resumed.kwargs.get("pushed", {}))


def started(run: Run, now: datetime) -> datetime:
    return now if run.resumed is None else now - timedelta(seconds=run.resumed.elapsed_s)


def resumption(run: Run) -> dict[str, Any]:
    """Return the fields of a task's context that tell it how to go on."""
    resumed = run.resumed
    if resumed is None:
        return {}
    if resumed.method is None:
        return {"task_reschedule_count": looks(run)}
    if resumed.timed_out and "asked" not in resumed.kwargs:
        return {"next_method": FAILS, "next_kwargs": TIMED_OUT}
    event = event_of(run)
    more = {} if event is None else {"event": event["payload"]}
    kwargs = {**resumed.kwargs["next_kwargs"], **more}
    return {"next_method": resumed.method, "next_kwargs": kwargs}


def event_of(run: Run) -> Mapping[str, Any] | None:
    assert run.resumed is not None
    if "asked" in run.resumed.kwargs:
        return asking.event(run.resumed)
    found: Mapping[str, Any] | None = run.resumed.kwargs.get("event", run.resumed.found)
    return found


def concluded(run: Run) -> Result | None:
    """Return the end of a task whose trigger has ended it; None: the task goes on. Raises Skip, TaskFailed."""
    resumed = run.resumed
    if resumed is None or resumed.method is None or resumed.timed_out:
        return None
    end = (event_of(run) or {}).get("end")
    if end == "skipped":
        raise Skip("its trigger found nothing to do")
    if end == "failed":
        raise TaskFailed("its trigger ended the task as failed")
    if end is None:
        return None
    xcoms = (event_of(run) or {}).get("xcoms") or {}
    return Result(None, {**pushed(run), **xcoms}, None)
