"""The objects of the fake cluster, with one resourceVersion for all, and the history that watches are served from."""

import copy
import threading
import uuid
from bisect import bisect_right
from collections.abc import Callable
from datetime import UTC
from operator import itemgetter
from typing import Any

from headway import clock
from tests.kubernetes.fake.amounts import Used
from tests.kubernetes.fake.kinds import BY_PLURAL, NAMESPACE, POD, Kind
from tests.kubernetes.fake.status import Refused, conflict, exists, gone, not_found

Object = dict[str, Any]
Place = tuple[str, str, str]  # kind, namespace, name
Event = tuple[
    int, str, Kind, Object, Object | None
]  # version, type, kind, object, the object before


class Store:
    """Thread-safe: the server's loop, kubelets and tests share it. What is returned is a copy."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.changed = threading.Condition(self.lock)
        self.version = 1
        self.objects: dict[Place, Object] = {}
        self.places: dict[str, set[Place]] = {}  # of each kind
        self.history: list[Event] = []
        self.oldest = 1  # watches from before it are answered with 410
        self.listeners: list[Callable[[], None]] = []
        self.new_uid: Callable[[], str] = lambda: str(uuid.uuid4())
        self.used = Used()  # by the pods of each namespace

    # -- reading

    def get(self, kind: Kind, namespace: str, name: str) -> Object:
        with self.lock:
            found = self.objects.get((kind.plural, namespace, name))
            if found is None:
                raise not_found(kind.plural, name)
            return copy.deepcopy(found)

    def every(self, kind: Kind, namespace: str) -> tuple[list[Object], int]:
        found, version = self.peek(kind, namespace)
        return copy.deepcopy(found), version

    def peek(self, kind: Kind, namespace: str) -> tuple[list[Object], int]:
        """As ``every``, without copies, for those who change nothing: thousands of them take seconds."""
        with self.lock:
            known = self.places.get(kind.plural, ())
            places = sorted(place for place in known if namespace in ("", place[1]))
            return [self.objects[place] for place in places], self.version

    def since(self, version: int) -> list[Event]:
        """Return the events after a version. Raises Refused (410) if some of them are forgotten."""
        with self.lock:
            if version < self.oldest:
                raise gone(version, self.oldest)
            return self.history[bisect_right(self.history, version, key=itemgetter(0)) :]

    def compact(self) -> None:
        """Forget the history, as etcd does after some minutes."""
        with self.lock:
            self.version += 1
            self.oldest, self.history = self.version, []
            self.tell()

    # -- writing

    def create(self, kind: Kind, given: Object) -> Object:
        with self.lock:
            made = copy.deepcopy(given)
            meta = made["metadata"]
            if "generateName" in meta and not meta.get("name"):
                meta["name"] = meta["generateName"] + uuid.uuid4().hex[:5]
            place = self.place(kind, made)
            if place in self.objects:
                raise exists(kind.plural, meta["name"])
            self.check_namespace(kind, place[1])
            meta |= {"uid": self.new_uid(), "creationTimestamp": stamp(), "generation": 1}
            made |= {"apiVersion": kind.api_version, "kind": kind.kind}
            return self.write("ADDED", kind, place, made)

    def check_namespace(self, kind: Kind, namespace: str) -> None:
        if not kind.namespaced:
            return
        found = self.objects.get((NAMESPACE.plural, "", namespace))
        if found is None:
            raise not_found("namespaces", namespace)
        if "deletionTimestamp" in found["metadata"]:
            why = f"unable to create new content in namespace {namespace} because it is being terminated"
            raise Refused(403, "Forbidden", why)

    def replace(self, kind: Kind, given: Object) -> Object:
        """Replace an object. Raises Refused (409) if it was changed since it was read."""
        with self.lock:
            place = self.place(kind, given)
            known = self.objects.get(place)
            if known is None:
                raise not_found(kind.plural, place[2])
            version = given["metadata"].get("resourceVersion")
            if version is not None and version != known["metadata"]["resourceVersion"]:
                raise conflict(kind.plural, place[2])
            uid = given["metadata"].get("uid", known["metadata"]["uid"])
            if uid != known["metadata"]["uid"]:
                raise conflict(kind.plural, place[2])
            return self.store(kind, place, known, copy.deepcopy(given))

    def change(
        self, kind: Kind, namespace: str, name: str, edit: Callable[[Object], object]
    ) -> Object:
        """Change an object in place, as who owns it does. Raises Refused (404)."""
        with self.lock:
            known = self.objects.get((kind.plural, namespace, name))
            if known is None:
                raise not_found(kind.plural, name)
            made = copy.deepcopy(known)
            edit(made)
            return self.store(kind, (kind.plural, namespace, name), known, made)

    def store(self, kind: Kind, place: Place, known: Object, made: Object) -> Object:
        """What the server owns stays, what changed nothing makes no version, and the last finalizer ends it."""
        for owned in ("uid", "creationTimestamp", "deletionTimestamp", "namespace"):
            if owned in known["metadata"]:
                made["metadata"][owned] = known["metadata"][owned]
        if made.get("spec") != known.get("spec"):
            made["metadata"]["generation"] = known["metadata"].get("generation", 1) + 1
        made["metadata"]["resourceVersion"] = known["metadata"]["resourceVersion"]
        if made == known:
            return copy.deepcopy(known)
        meta = made["metadata"]
        if is_released(meta):
            return self.drop(kind, place, made)
        return self.write("MODIFIED", kind, place, made)

    def delete(self, kind: Kind, namespace: str, name: str, grace_s: int | None = None) -> Object:
        """Delete an object: at once, or when its grace is over (pods) and its finalizers are gone."""
        with self.lock:
            place = (kind.plural, namespace, name)
            known = self.objects.get(place)
            if known is None:
                raise not_found(kind.plural, name)
            if grace_s is None:
                grace_s = grace_of(kind, known)
            made = copy.deepcopy(known)
            meta = made["metadata"]
            earlier = meta.get("deletionGracePeriodSeconds")
            meta.setdefault("deletionTimestamp", stamp())
            meta["deletionGracePeriodSeconds"] = (
                grace_s if earlier is None else min(earlier, grace_s)
            )
            if is_released(meta):
                return self.drop(kind, place, made)
            return known if made == known else self.write("MODIFIED", kind, place, made)

    def drop(self, kind: Kind, place: Place, last: Object) -> Object:
        found = self.write("DELETED", kind, place, last)
        if kind is NAMESPACE:
            for other in [each for each in self.objects if each[1] == place[2]]:
                self.write("DELETED", BY_PLURAL[other[0]], other, self.objects[other])
        return found

    def write(self, event: str, kind: Kind, place: Place, made: Object) -> Object:
        before = self.objects.get(place)
        self.version += 1
        made = {**made, "metadata": {**made["metadata"], "resourceVersion": str(self.version)}}
        places = self.places.setdefault(kind.plural, set())
        if event == "DELETED":
            del self.objects[place]
            places.discard(place)
        else:
            self.objects[place] = made
            places.add(place)
        if kind is POD:
            self.used.count(place[1], before, None if event == "DELETED" else made)
        self.history.append((self.version, event, kind, made, before))
        self.tell()
        return copy.deepcopy(made)

    def tell(self) -> None:
        self.changed.notify_all()
        for listener in self.listeners:
            listener()

    def place(self, kind: Kind, given: Object) -> Place:
        meta = given["metadata"]
        return kind.plural, meta.get("namespace", "") if kind.namespaced else "", meta["name"]


def is_released(meta: dict[str, Any]) -> bool:
    """Return whether nothing holds a deleted object any more."""
    graceful = meta.get("deletionGracePeriodSeconds", 0) > 0
    return "deletionTimestamp" in meta and not graceful and not meta.get("finalizers")


def grace_of(kind: Kind, known: Object) -> int:
    if kind is not POD or known.get("status", {}).get("phase") in ("Succeeded", "Failed"):
        return 0
    if not known["spec"].get("nodeName"):
        return 0
    return int(known["spec"].get("terminationGracePeriodSeconds", 30))


def stamp() -> str:
    return clock.now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
