"""The kinds of reasons, each with a class in ``core.reasons``."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, Protocol


class Kind(StrEnum):
    """The kind of a reason's subject, which says what to look at next."""

    POOL_FULL = "pool_full"
    POOL_MISSING = "pool_missing"
    POOL_EMPTY = "pool_empty"
    POOL_TOO_SMALL = "pool_too_small"
    POOL_TURN = "pool_turn"
    POOL_SHARED = "pool_shared"
    POOL_NOT_SHARED = "pool_not_shared"
    TEAM_SLOTS = "team_slots"
    NO_AGENT = "no_agent"
    AGENTS_FULL = "agents_full"
    QUEUE_UNSERVED = "queue_unserved"
    EXECUTOR_UNKNOWN = "executor_unknown"
    QUOTA_FULL = "quota_full"
    POD_PENDING = "pod_pending"
    POD_REFUSED = "pod_refused"
    WARM_STARTING = "warm_starting"
    DAG_PAUSED = "dag_paused"
    MAX_ACTIVE_TASKS = "max_active_tasks"
    MAX_ACTIVE_TIS = "max_active_tis_per_dagrun"
    MAX_ACTIVE_TIS_OF_DAG = "max_active_tis_per_dag"
    AWAITS_PAST = "awaits_past"
    AWAITS_ITERATION = "awaits_iteration"
    MAX_ACTIVE_RUNS = "max_active_runs"
    HELD_BY_RUN = "held_by_run"
    AWAITS_DATE = "awaits_date"
    BACKFILL_FULL = "backfill_full"
    BACKFILL_PAUSED = "backfill_paused"
    SET_ASIDE = "set_aside"
    NOT_SEEN = "not_seen"
    HANDED_OVER = "handed_over"
    NO_SCHEDULER = "no_scheduler"
    NOT_CREATED = "not_created"
    FILE_GONE = "file_gone"
    NO_SCHEDULE = "no_schedule"
    RUNS_ONCE = "runs_once"
    RUNS_CONTINUOUSLY = "runs_continuously"
    NO_DATES_LEFT = "no_dates_left"
    AWAITS_ASSETS = "awaits_assets"
    AWAITS_PARTITIONS = "awaits_partitions"
    LATE_PARTITION = "late_partition"
    OVERDUE_PARTITION = "overdue_partition"
    END_DATE = "end_date"

    RULE_MET = "rule_met"
    RULE_NOT_MET = "rule_not_met"
    NOT_CHOSEN = "not_chosen"
    FAILED_FAST = "failed_fast"
    SKIPPED_ITSELF = "skipped_itself"
    MAPPED_OVER_NOTHING = "mapped_over_nothing"
    SOURCE_NOT_SUCCESSFUL = "source_not_successful"
    SETUP_NOT_SUCCESSFUL = "setup_not_successful"
    NOT_A_LIST = "not_a_list"
    TOO_MANY_ITEMS = "too_many_items"
    TOO_MANY_TASKS = "too_many_tasks"
    ITEM_GONE = "item_gone"
    ITERATION_GONE = "iteration_gone"

    GRANTED = "granted"
    STARTED = "started"
    ATTEMPT_FAILED = "attempt_failed"
    GIVEN_UP = "given_up"
    LOST_TOO_OFTEN = "lost_too_often"
    RETRY_OVER = "retry_over"
    AWAITS_TIME = "awaits_time"
    AWAITS_RUN = "awaits_run"
    AWAITS_ASSET = "awaits_asset"
    AWAITS_TRIGGER = "awaits_trigger"
    AWAITS_ANSWER = "awaits_answer"
    ANSWERED = "answered"
    ANSWERED_BY_DEFAULT = "answered_by_default"
    REJECTED = "rejected"
    WAIT_OVER = "wait_over"
    WAIT_TIMED_OUT = "wait_timed_out"
    UPSTREAM_CHANGED = "upstream_changed"
    CODE_CHANGED = "code_changed"
    TASK_REMOVED = "task_removed"

    CLEARED = "cleared"
    MARKED = "marked"
    CANCELLED = "cancelled"

    RUN_STARTED = "run_started"
    SKIPPED_BY_STRATEGY = "skipped_by_strategy"
    RUN_TIMED_OUT = "run_timed_out"
    LEAVES_FAILED = "leaves_failed"
    LEAVES_SUCCEEDED = "leaves_succeeded"

    POOL_RESIZED = "pool_resized"
    CREATED = "created"
    ABOUT = "about"
    TEXT = "text"


class Wait(StrEnum):
    """Categories of waits, each with its colour in the interface."""

    UPSTREAM = "upstream"
    POOL = "pool"
    LIMIT = "limit"
    AGENT = "agent"
    PAUSED = "paused"
    RETRY = "retry"
    EVENT = "event"
    START = "start"
    OTHER = "other"


WAITS: Final[Mapping[Kind, Wait]] = {
    Kind.POOL_FULL: Wait.POOL,
    Kind.POOL_MISSING: Wait.POOL,
    Kind.POOL_EMPTY: Wait.POOL,
    Kind.POOL_TOO_SMALL: Wait.POOL,
    Kind.POOL_TURN: Wait.POOL,
    Kind.POOL_SHARED: Wait.POOL,
    Kind.POOL_NOT_SHARED: Wait.POOL,
    Kind.TEAM_SLOTS: Wait.POOL,
    Kind.NO_AGENT: Wait.AGENT,
    Kind.AGENTS_FULL: Wait.AGENT,
    Kind.QUOTA_FULL: Wait.LIMIT,
    Kind.POD_PENDING: Wait.START,
    Kind.POD_REFUSED: Wait.START,
    Kind.WARM_STARTING: Wait.START,
    Kind.DAG_PAUSED: Wait.PAUSED,
    Kind.MAX_ACTIVE_TASKS: Wait.LIMIT,
    Kind.MAX_ACTIVE_TIS: Wait.LIMIT,
    Kind.MAX_ACTIVE_TIS_OF_DAG: Wait.LIMIT,
    Kind.AWAITS_PAST: Wait.UPSTREAM,
    Kind.AWAITS_ITERATION: Wait.UPSTREAM,
    Kind.MAX_ACTIVE_RUNS: Wait.LIMIT,
    Kind.HELD_BY_RUN: Wait.LIMIT,
    Kind.AWAITS_DATE: Wait.EVENT,
    Kind.BACKFILL_FULL: Wait.LIMIT,
    Kind.BACKFILL_PAUSED: Wait.PAUSED,
    Kind.AWAITS_TIME: Wait.EVENT,
    Kind.AWAITS_RUN: Wait.EVENT,
    Kind.AWAITS_TRIGGER: Wait.EVENT,
    Kind.AWAITS_ANSWER: Wait.EVENT,
    Kind.AWAITS_ASSETS: Wait.EVENT,
    Kind.AWAITS_PARTITIONS: Wait.EVENT,
}


class Kinded(Protocol):
    """Any reason."""

    @property
    def kind(self) -> Kind: ...


def wait_of(reason: Kinded) -> Wait:
    return WAITS.get(reason.kind, Wait.OTHER)
