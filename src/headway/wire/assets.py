"""Assets, their events, and who updates and waits for them."""

from datetime import datetime
from typing import Any

import msgspec

from headway.core.watchers import WatcherState
from headway.wire.partitions import PendingPartition


class AssetTask(msgspec.Struct, frozen=True, kw_only=True):
    """A task that updates an asset, or reads it."""

    dag_id: str
    task_id: str
    owner: str = ""


class AssetConsumer(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG that waits for an asset. ``events``: those that count for its next run; ``since``: the first of them."""

    dag_id: str
    events: int
    since: datetime | None
    paused: bool = False
    owner: str = ""


class Asset(msgspec.Struct, frozen=True, kw_only=True):
    """An asset or an alias, whose name has ``@alias:`` before it. ``alias``: its name, if it is one; ``aliases``: the
    names of those through which tasks have added the asset.
    """

    name: str
    uri: str
    group: str
    extra: dict[str, Any]
    created_at: datetime
    last_event_at: datetime | None
    producers: list[AssetTask]
    readers: list[AssetTask]
    consumers: list[AssetConsumer]
    awaiters: list[AssetTask] = []  # tasks that wait for an event of it
    alias: str | None = None
    aliases: list[str] = []


class AssetWatcher(msgspec.Struct, frozen=True, kw_only=True):
    """Code that looks out for events of an asset outside of Headway. ``dag_id``: the DAG whose file has the code.

    ``state``: looking, waiting, failed or stopped; ``reason``: why nobody looks. ``looks_at``: its next look, as far as
    it tells. ``error``: of its last end, until it works again; ``starts_at``: when it begins again at the earliest.
    ``slowed_at``: when it last told of more events than are taken in a minute. Watchers that are the same are one.
    """

    asset: str
    name: str
    what: str
    dag_id: str
    queue: str
    state: WatcherState
    reason: str
    since: datetime | None
    looks: int
    looked_at: datetime | None
    looks_at: datetime | None
    note: str | None
    events: int
    last_event_at: datetime | None
    error: str | None
    failed_at: datetime | None
    starts_at: datetime | None
    slowed_at: datetime | None


class AssetWaiter(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG that waits for an asset. ``missing``: the assets whose events its next run waits for; ``reason``: the same
    in words. ``events``: those of this asset that count for its next run.
    """

    dag_id: str
    owner: str
    paused: bool
    events: int
    since: datetime | None
    missing: list[str]
    reason: str
    partitioned: bool = False  # partitions bring its runs


class AssetDetail(msgspec.Struct, frozen=True, kw_only=True):
    """An asset, and who is late if it is: of ``waiters_total`` DAGs that wait for it the first 100 by id, and of
    ``affected_total`` DAGs that wait for it or for one of those the nearest 100. ``assets``: of the ``assets_total``
    that tasks have added through an alias the first 100; ``refused``: the last one that it did not take, and why.
    """

    asset: Asset
    waiters: list[AssetWaiter]
    waiters_total: int
    affected: list[str]
    affected_total: int
    affected_owners: list[str]
    assets: list[str] = []
    assets_total: int = 0
    refused: str | None = None
    watchers: list[AssetWatcher] = []


class AssetEvent(msgspec.Struct, frozen=True, kw_only=True):
    """An event. Of one from outside ``by`` says who reported it; else the fields of the task instance are set.

    ``aliases``: the names of those through which the task added the asset.
    """

    event_id: int
    asset: str
    at: datetime
    extra: dict[str, Any]
    partition: str | None
    dag_id: str | None = None
    run_id: str | None = None
    task_id: str | None = None
    map_index: int | None = None
    by: str | None = None
    aliases: list[str] = []


class AssetEventRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An event of an asset that happened outside of Headway. ``idempotency_key``: for this asset, the same key is the
    same event.
    """

    asset: str
    extra: dict[str, Any] = {}
    partition: str | None = None
    idempotency_key: str | None = None


class AssetUse(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that a task of a DAG updates, or reads."""

    asset: str
    task_id: str


class AssetWait(msgspec.Struct, frozen=True, kw_only=True):
    """An asset that a DAG waits for. ``missing``: its next run waits for an event of it. ``assets``: how many tasks
    have added to it, if it is an alias.
    """

    asset: str
    events: int
    since: datetime | None
    missing: bool
    assets: int | None = None


class DagAssets(msgspec.Struct, frozen=True, kw_only=True):
    """The assets of a DAG. ``reason``: what its next run waits for; None: other things bring its runs. ``partitioned``:
    partitions bring them, and ``partitions`` are the first ten that it waits for, by key.
    """

    dag_id: str
    reason: str | None
    waits: list[AssetWait] = []
    outlets: list[AssetUse] = []
    inlets: list[AssetUse] = []
    awaited: list[AssetUse] = []  # by its tasks
    partitioned: bool = False
    partitions: list[PendingPartition] = []
    watchers: list[AssetWatcher] = []  # of the assets that it waits for
