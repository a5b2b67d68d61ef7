"""An attempt as its agent holds it, from the grant to the report of its end."""

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from headway.agent.budget import LogBudget
from headway.agent.logs import AttemptLog
from headway.agent.masking import Masker
from headway.agent.orders import Order, Outcome
from headway.agent.protocol import (
    AssetEvent,
    AttemptKey,
    Deferral,
    Grant,
    RetryFacts,
    RunContext,
    XComValue,
)
from headway.agent.servers import hint, signal_name
from headway.agent.xcoms import Entry, Key, Xcoms
from headway.paths import log_path, spool_name, stored_log, xcom_ending, xcom_path

if TYPE_CHECKING:
    from headway.agent.children import Child

Ending = Literal["success", "failed", "skipped", "cancelled", "lost", "deferred"]


@dataclass(frozen=True, slots=True)
class End:
    """The end of an attempt."""

    outcome: Ending
    cause: str
    detail: str = ""
    exit_code: int | None = None
    xcoms: list[XComValue] = field(default_factory=list)
    follow: list[str] | None = None
    retry: bool = True
    line: int | None = None
    deferral: Deferral | None = None
    assets: list[AssetEvent] = field(default_factory=list)
    facts: RetryFacts = field(default_factory=RetryFacts)

    @property
    def is_said(self) -> bool:
        """Return whether the log needs a line about it."""
        return self.outcome not in ("success", "deferred") and self.cause not in (
            "exception",
            "skip",
        )


class Attempt:
    def __init__(self, grant: Grant, run: RunContext) -> None:
        self.grant = grant
        self.run = run
        self.key = grant.key
        self.held: dict[Key, Entry] = {}  # results it needs
        self.child: Child | None = None
        self.stopping: End | None = None  # it is being ended for this reason
        self.name = ""  # of the mapped instance, as its task told it last
        self.names_told = 0
        self.started_seq = 0
        self.started_at = 0.0

    def order(self, data: Path, xcoms: Xcoms, last: bool) -> Order:
        grant, run, key = self.grant, self.run, self.key
        return Order(
            run_id=key.run_id,
            dag_id=run.dag_id,
            task_id=key.task_id,
            map_index=key.map_index,
            try_number=key.number,
            max_tries=grant.retries + 1,
            logical_date=run.logical_date,
            interval_start=run.interval_start,
            interval_end=run.interval_end,
            trigger=run.trigger,
            params=run.params,
            whole=xcoms.whole(grant, self.held),
            places=xcoms.places(grant, self.held),
            xcom=f"{data}/{xcom_path(key.run_id, key.task_id, key.map_index, key.number)}",
            memory_limit_mb=grant.memory_limit_mb,
            last=last,
            resumed=grant.resumed,
            secrets=self.secrets(),
            previous=xcoms.previous(grant, self.held),
            partition=run.partition,
        )

    def secrets(self) -> list[str]:
        """Return the secrets in what the attempt is given: they were handed to tasks before it."""
        of_wait = self.grant.resumed.secrets if self.grant.resumed is not None else ()
        return sorted({one for entry in self.held.values() for one in entry.secrets}.union(of_wait))

    def log(self, data: Path, masker: Masker, spool: Path | None, budget: LogBudget) -> AttemptLog:
        return log_of(self.key, self.run, data, masker, spool, budget)

    def known_end(self, outcome: Outcome | None) -> End | None:
        """Return the end: why we ended the process, or what it reported, or None if it reported nothing."""
        if self.stopping is not None:
            return self.stopping
        return None if outcome is None else self.end_of(outcome)

    def end_of(self, outcome: Outcome) -> End:
        """Return the child's outcome, with the place of its files as the agent knows it."""
        key = self.key
        base = xcom_path(key.run_id, key.task_id, key.map_index, key.number)
        xcoms = [
            XComValue(
                key=one.key,
                value=one.value,
                file=None if one.value is not None else base + xcom_ending(one.key),
                size=one.size,
                length=one.length,
                secrets=one.secrets,
            )
            for one in outcome.outputs
        ]
        return End(
            outcome.outcome,
            outcome.cause,
            outcome.detail,
            outcome.exit_code,
            xcoms,
            outcome.follow,
            outcome.retry,
            outcome.line,
            outcome.deferral,
            outcome.assets,
            outcome.facts,
        )


def log_of(
    key: AttemptKey,
    run: RunContext,
    data: Path,
    masker: Masker,
    spool: Path | None,
    budget: LogBudget | None = None,
) -> AttemptLog:
    path = log_path(key.run_id, key.task_id, key.map_index, key.number)
    if spool is None:
        return AttemptLog(f"{data}/{path}", masker, budget=budget)
    name = spool_name(stored_log(run.team, path))
    return AttemptLog(f"{data}/{path}", masker, f"{spool}/{name}", budget)


def end_of_status(status: int) -> End:
    """Describe the end of a child that sent no outcome."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal_name(number)
        detail = f"the process was ended by {name}{hint(status)}"
        return End("failed", "signal", detail, -number)
    code = os.WEXITSTATUS(status)
    return End("failed", "exit_code", f"the process exited with code {code}", code)
