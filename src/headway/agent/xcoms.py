"""Results of tasks that an agent has at hand, so that a mapped attempt does not fetch its list again.

An LRU of at most 64 MB (or one larger value). A run's values are dropped when the gateway says that something in it
was cleared. Lists are cut into items without making objects of them: each item costs O(1).
"""

from collections import OrderedDict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from headway.agent.orders import Given, Place, Whole
from headway.agent.protocol import AxisItem, Grant, Stored, XComRef, XComValue

TAG: Final = "__headway__"  # of ``authoring.values``, which an agent does not import
CACHE_BYTES_MAX: Final = 64 * 1024 * 1024
OVERHEAD_BYTES: Final = 450  # of an entry, and of each value in it; measured
LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
DICT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])

Key = tuple[str, str, str, int | None]  # run, task, key, map index


class NoInput(Exception):
    """A mapped result is missing or has no such item."""


class Entry:
    def __init__(
        self, stored: Sequence[XComValue], many: bool, map_indexes: Sequence[int | None]
    ) -> None:
        self.stored = stored
        self.map_indexes = map_indexes  # of each
        self.many = many
        self.secrets = {secret for one in stored for secret in one.secrets}
        self.items: Sequence[msgspec.Raw | Given] | None = None
        self.bytes = sum(len(one.value or b"") + OVERHEAD_BYTES for one in stored) + OVERHEAD_BYTES


class Xcoms:
    def __init__(self, data: Path) -> None:
        self.data = data
        self.entries: OrderedDict[Key, Entry] = OrderedDict()
        self.of_run: dict[str, set[Key]] = {}
        self.bytes = 0

    # -- what is known

    def put(
        self,
        run_id: str,
        ref: XComRef,
        stored: Sequence[XComValue],
        map_indexes: Sequence[int] | None = None,
    ) -> Entry:
        """``map_indexes``: of each value, unless all are ``ref``'s."""
        key = key_of(run_id, ref)
        self.drop(key)
        indexes = [ref.map_index] * len(stored) if map_indexes is None else map_indexes
        self.entries[key] = entry = Entry(stored, ref.map_index is None, indexes)
        self.of_run.setdefault(run_id, set()).add(key)
        self.grow(entry.bytes)
        return entry

    def grow(self, size: int) -> None:
        self.bytes += size
        while self.bytes > CACHE_BYTES_MAX and len(self.entries) > 1:
            self.drop(next(iter(self.entries)))

    def drop(self, key: Key) -> None:
        if (entry := self.entries.pop(key, None)) is not None:
            self.bytes -= entry.bytes
            of_run = self.of_run[key[0]]
            of_run.remove(key)
            if not of_run:
                del self.of_run[key[0]]

    def drop_run(self, run_id: str) -> None:
        for key in list(self.of_run.get(run_id, ())):
            self.drop(key)

    def put_fetched(
        self, run_id: str, refs: Sequence[XComRef], values: Sequence[Stored]
    ) -> dict[XComRef, Entry]:
        """Store the answer to a fetch. A reference without a value is known to have none."""
        found: dict[tuple[str, str, int | None], list[Stored]] = {}
        for one in sorted(values, key=lambda one: one.map_index):
            for map_index in (one.map_index, None):
                found.setdefault((one.task_id, one.xcom.key, map_index), []).append(one)
        entries = {}
        for ref in refs:
            of_ref = found.get((ref.task_id, ref.key, ref.map_index), [])
            indexes = [one.map_index for one in of_ref]
            entries[ref] = self.put(run_id, ref, [one.xcom for one in of_ref], indexes)
        return entries

    def hold(self, grant: Grant, held: dict[Key, Entry]) -> list[XComRef]:
        """Put the attempt's inputs into ``held``, safe from eviction. Returns the missing ones."""
        lacking = []
        before = () if grant.previous is None else (grant.previous,)
        of_axes = (axis.ref for axis in grant.axes if axis.ref is not None)
        for ref in (*grant.inputs, *before, *of_axes):
            key = key_of(grant.key.run_id, ref)
            if key in held:
                continue
            if (entry := self.entries.get(key)) is None:
                lacking.append(ref)
            else:
                self.entries.move_to_end(key)
                held[key] = entry
        return lacking

    # -- what an attempt is given

    def whole(self, grant: Grant, held: Mapping[Key, Entry]) -> list[Whole]:
        found = []
        for ref in grant.inputs:
            entry = held[key_of(grant.key.run_id, ref)]
            values = [self.given(one) for one in entry.stored]
            found.append(Whole(ref.task_id, ref.key, entry.many, values))
        return found

    def previous(self, grant: Grant, held: Mapping[Key, Entry]) -> Given | None:
        """Return the result of the iteration before; None where there is none."""
        if grant.previous is None:
            return None
        entry = held[key_of(grant.key.run_id, grant.previous)]
        return self.given(entry.stored[0]) if entry.stored else None

    def places(self, grant: Grant, held: Mapping[Key, Entry]) -> list[Place]:
        return [self.place(grant.key.run_id, axis, held) for axis in grant.axes]

    def place(self, run_id: str, axis: AxisItem, held: Mapping[Key, Entry]) -> Place:
        if axis.ref is None:
            return Place(axis.position, None)
        key = key_of(run_id, axis.ref)
        entry = held[key]
        if entry.items is None:
            size = self.cut(entry, axis.ref)
            entry.bytes += size
            if self.entries.get(key) is entry:
                self.grow(size)
        assert entry.items is not None
        if not 0 <= axis.position < len(entry.items):
            raise NoInput(
                f"the result of task {axis.ref.task_id!r} has {len(entry.items)} items, "
                f"this instance is mapped over number {axis.position}"
            )
        item = entry.items[axis.position]
        return Place(axis.position, item if isinstance(item, Given) else Given(bytes(item)))

    def cut(self, entry: Entry, ref: XComRef) -> int:
        """Split a result into items. Returns their size in bytes."""
        if entry.many:
            entry.items = [self.given(one) for one in entry.stored]
            return 0
        if not entry.stored:
            raise NoInput(f"the result of task {ref.task_id!r} is missing")
        one = entry.stored[0]
        body = one.value if one.value is not None else self.path(one).read_bytes()
        try:
            entry.items = items_of(body)
        except msgspec.DecodeError as error:
            raise NoInput(f"the result of task {ref.task_id!r} is not a list: {error}") from error
        return len(body) + OVERHEAD_BYTES * len(entry.items) // 4

    def given(self, one: XComValue) -> Given:
        return Given(one.value) if one.value is not None else Given(None, str(self.path(one)))

    def path(self, one: XComValue) -> Path:
        assert one.file is not None
        path = self.data / one.file
        if ".." in path.parts or not path.is_relative_to(self.data / "xcom"):
            raise NoInput(f"a stored result is outside the data directory: {one.file}")
        return path


def key_of(run_id: str, ref: XComRef) -> Key:
    return (run_id, ref.task_id, ref.key, ref.map_index)


def items_of(body: bytes) -> list[msgspec.Raw | Given]:
    """Return the items of a list or the pairs of a dict as JSON texts, in the notation of ``authoring.values``."""
    if body.lstrip()[:1] == b"[":
        return list(LIST.decode(body))
    found = DICT.decode(body)
    if TAG not in found:
        return [pair(msgspec.json.encode(name), bytes(raw)) for name, raw in found.items()]
    match msgspec.json.decode(found[TAG]):
        case "tuple" | "namedtuple":
            return list(LIST.decode(found["value"]))
        case "dict":
            return [pair(*map(bytes, LIST.decode(one))) for one in LIST.decode(found["value"])]
        case kind:
            raise msgspec.DecodeError(f"it is a {kind}")


def pair(name: bytes, value: bytes) -> Given:
    return Given(b'{"%s":"tuple","value":[%s,%s]}' % (TAG.encode(), name, value))
