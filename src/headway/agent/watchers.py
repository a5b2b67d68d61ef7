"""The messages of the protocol about watchers of assets (ADR 70).

A watcher is *held* by a session, as what a deferred attempt waits for. An agent tells one batch of it at a time, and
again until it is taken; each time a watcher is handed out, it begins a new *life*, in which batches count from 1.
"""

import msgspec

from headway.agent.numbers import Int32


class WatcherKey(msgspec.Struct, frozen=True, array_like=True):
    """A watcher of assets, in one of its lives: another one begins whenever it is handed out."""

    digest: str
    life: Int32


class WatcherEvent(msgspec.Struct, frozen=True, array_like=True):
    """``extra``: JSON. ``key``: the same one is the same event."""

    extra: bytes = b"{}"
    partition: str | None = None
    key: str | None = None


# -- agent to gateway


class Fired(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Tells of events that a watcher saw, and of the cursor behind them (JSON; None: it stays). It tells no more until
    ``Taken``, and tells it again on a new connection. ``batch`` counts from 1 in each life.
    """

    key: WatcherKey
    batch: Int32
    events: list[WatcherEvent]
    cursor: bytes | None = None


class Stopped(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Tells that a watcher has ended; with an ``error``, that it failed. It begins again when it is handed out."""

    key: WatcherKey
    error: str = ""


class WatcherLook(msgspec.Struct, frozen=True, array_like=True):
    """As a ``Look``."""

    key: WatcherKey
    looks: Int32
    age_s: float
    again_s: float | None = None
    note: str = ""


class Sighted(msgspec.Struct, frozen=True, array_like=True, tag=True):
    looks: list[WatcherLook]


# -- gateway to agent


class Standing(msgspec.Struct, frozen=True, array_like=True):
    """A watcher to look after: its code, and the cursor from which it goes on (JSON; None: it has none)."""

    key: WatcherKey
    dag_id: str
    bundle_version: str
    file: str
    facts: bytes  # JSON, as of a ``Watch``
    cursor: bytes | None = None


class Watchers(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Look after these watchers. One that is known already is left alone."""

    watchers: list[Standing]


class Release(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Look after these watchers no more, and tell nothing of them."""

    keys: list[WatcherKey]


class Taken(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """The answer to ``Fired``: it is stored. With ``again_s`` it is not: tell it again after so many seconds."""

    key: WatcherKey
    batch: Int32
    again_s: float = 0.0
