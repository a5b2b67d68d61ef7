"""The nodes of a simulated cluster: they start pods soon, late or never, lose them, and let go of them in time."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from headway.executors.kubernetes.names import INSTALL
from headway.executors.kubernetes.settings import AUDIENCE
from tests.kubernetes.fake import states
from tests.kubernetes.fake.kinds import NAMESPACE, POD
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Object
from tests.kubernetes.pod_agent import attempt_of
from tests.simulation.pod_agents import PodAgent

if TYPE_CHECKING:
    from tests.simulation.pods import Pods

NEVER: Final = float("inf")
ACCOUNT: Final = "headway-task"
BEFALLS: Final = 0.25  # how often something befalls a pod
NODE: Final = "node-1"

OF_THE_SERVER: Final = ("uid", "resourceVersion", "creationTimestamp", "finalizers")


@dataclass(slots=True)
class Place:
    """A pod as its node has it: from its creation until neither its object nor its process is left."""

    namespace: str
    name: str
    starts_at: float
    agent: PodAgent | None = None
    kept_s: float = 0.0  # by somebody's finalizer, once it is deleted
    gone_at: float | None = None


class Nodes:
    def __init__(self, world: "Pods") -> None:
        self.world = world
        self.store = world.api.server.store
        self.places: dict[str, Place] = {}  # by UID
        self.hopeless: set[str] = (
            set()
        )  # tasks of runs whose pods never start, as if their image did not exist

    def pods(self) -> list[Object]:
        found = self.store.peek(POD, "")[0]
        return [pod for pod in found if INSTALL in pod["metadata"].get("labels", {})]

    def turn(self) -> None:
        there = self.pods()
        for pod in there:
            self.look(pod)
            if self.world.happens(BEFALLS):
                self.mischief(pod)
        known = {pod["metadata"]["uid"] for pod in there}
        for uid, place in list(self.places.items()):
            if uid not in known and (place.agent is None or place.agent.is_over):
                self.forget(place)
                del self.places[uid]
        self.end_namespaces()

    def look(self, pod: Object) -> None:
        meta = pod["metadata"]
        place = self.places.get(meta["uid"])
        if place is None:
            place = self.places[meta["uid"]] = self.arrives(pod)
        if "deletionTimestamp" in meta:
            self.lets_go(pod, place)
        elif pod["status"]["phase"] in ("Succeeded", "Failed"):
            return
        elif place.agent is None and self.world.elapsed >= place.starts_at:
            self.start(pod, place)
        elif place.agent is not None and place.agent.is_over:
            self.change(pod, states.ended(place.agent.code))
            self.forget(place)

    def change(self, pod: Object, edit: states.Edit) -> None:
        meta = pod["metadata"]
        self.store.change(POD, meta["namespace"], meta["name"], edit)

    # -- how pods begin

    def arrives(self, pod: Object) -> Place:
        """Draw when a pod starts, and what holds it up."""
        world, chance, meta = self.world, self.world.chance, pod["metadata"]
        place = Place(meta["namespace"], meta["name"], world.elapsed)
        if world.happens(0.4):
            place.starts_at += chance.choice([0.5, 2.0, 8.0, 10.0, 11.0, 30.0])
        key = attempt_of(pod)
        if world.happens(0.15):
            self.hopeless.add(key.run_id + key.task_id)
        if key.run_id + key.task_id in self.hopeless:
            place.starts_at = NEVER
        if place.starts_at > world.elapsed:
            self.hold_up(pod, place)
        return place

    def touch(self, pod: Object) -> None:
        """What the cluster does to the pod may change the outcome of its run."""
        self.world.people.touched.add(attempt_of(pod).run_id)

    def hold_up(self, pod: Object, place: Place) -> None:
        chance = self.world.chance
        kind = chance.choice(["", "unschedulable", "image", "image", "at once"])
        if kind == "at once" and self.world.happens(0.2):
            self.touch(pod)
            place.starts_at = NEVER
            self.world.truth.by_cluster.add(attempt_of(pod))
            self.change(pod, states.waiting("ErrImageNeverPull", "image not present"))
        elif kind == "unschedulable":
            self.change(pod, states.unschedulable("0/1 nodes are available"))
        elif kind == "image":
            self.change(pod, states.scheduled(NODE))
            self.change(pod, states.waiting("ImagePullBackOff", "Back-off pulling image"))

    def start(self, pod: Object, place: Place) -> None:
        meta = pod["metadata"]
        self.change(pod, states.scheduled(NODE))
        self.change(pod, states.running)
        where = meta["namespace"], ACCOUNT, (AUDIENCE,), meta["name"], meta["uid"]
        token = self.world.api.server.tokens.issue(*where)
        rate = self.world.chance.choice([0.95, 1.0, 1.05])
        agent = PodAgent(self.world, meta["uid"], meta["name"], token, attempt_of(pod), rate)
        place.agent = agent
        self.world.agents.append(agent)

    # -- how they end

    def lets_go(self, pod: Object, place: Place) -> None:
        """Its object is deleted: its process gets SIGTERM, and goes when its time is over."""
        world, agent = self.world, place.agent
        if place.gone_at is None:
            lag_s = world.chance.choice([1.0, 20.0, 70.0]) if world.happens(0.3) else 0.0
            place.gone_at = world.elapsed + lag_s + place.kept_s
            if agent is not None and not agent.is_dark and not agent.is_over:
                agent.stop()
        if world.elapsed < place.gone_at:
            return
        if agent is not None and not agent.is_dark:
            agent.leave(137)
        meta = pod["metadata"]
        self.change(pod, without_finalizers)
        if (POD.plural, meta["namespace"], meta["name"]) in self.store.objects:
            self.store.delete(POD, meta["namespace"], meta["name"], 0)

    def forget(self, place: Place) -> None:
        if place.agent is not None and place.agent in self.world.agents:
            self.world.agents.remove(place.agent)

    def end_namespaces(self) -> None:
        """The controller of namespaces: the pods of one that is deleted go first."""
        for found in self.store.peek(NAMESPACE, "")[0]:
            meta = found["metadata"]
            if "deletionTimestamp" not in meta:
                continue
            left = [each for each in self.pods() if each["metadata"]["namespace"] == meta["name"]]
            for pod in left:
                if "deletionTimestamp" not in pod["metadata"]:
                    self.store.delete(POD, meta["name"], pod["metadata"]["name"])
            if not left:
                self.store.change(NAMESPACE, "", meta["name"], without_finalizers)

    # -- mischief

    def mischief(self, pod: Object) -> None:
        """Something befalls a pod, unless it is gone by now."""
        chance, meta = self.world.chance, pod["metadata"]
        pod = self.store.objects.get((POD.plural, meta["namespace"], meta["name"]), {})
        if not pod or "deletionTimestamp" in pod["metadata"]:
            return
        place = self.places[meta["uid"]]
        deeds: list[Callable[[Object, Place], None]] = [
            self.stranger, self.stranger, self.stranger_by_force, self.evict, self.evict, self.preempt,
            self.preempt, self.out_of_memory, self.node_is_lost, self.node_is_lost, self.finalizer, self.labels,
            self.twin, self.twin, self.twin, self.twin,
        ]  # fmt: skip
        deed = chance.choice(deeds)
        self.world.note(f"{pod['metadata']['name']}: {deed.__name__}")
        deed(pod, place)

    def stranger(self, pod: Object, place: Place) -> None:
        meta = pod["metadata"]
        self.store.delete(POD, meta["namespace"], meta["name"])

    def stranger_by_force(self, pod: Object, place: Place) -> None:
        """The object is gone at once. The node learns of it now, or never."""
        meta = pod["metadata"]
        self.change(pod, without_finalizers)
        self.store.delete(POD, meta["namespace"], meta["name"], 0)
        if place.agent is not None and self.world.chance.random() < 0.5:
            place.agent.leave(137)

    def twin(self, pod: Object, place: Place) -> None:
        """Somebody puts the object back that they removed: a pod of the same name, while the first one still runs."""
        given = {key: value for key, value in pod["metadata"].items() if key not in OF_THE_SERVER}
        self.stranger_by_force(pod, place)
        status = {"phase": "Pending", "conditions": []}
        spec = {key: value for key, value in pod["spec"].items() if key != "nodeName"}
        with suppress(Refused):  # its namespace is about to go
            self.store.create(POD, {"metadata": given, "spec": spec, "status": status})

    def evict(self, pod: Object, place: Place) -> None:
        if place.agent is None or place.agent.is_over or place.agent.is_dark:
            return
        if self.world.chance.random() < 0.5:
            place.agent.stop()
        self.change(pod, states.taken("Evicted", "The node was low on resource: memory."))
        place.agent.leave(137)

    def preempt(self, pod: Object, place: Place) -> None:
        meta = pod["metadata"]
        edit = states.condition
        self.change(
            pod, lambda each: edit(each, "DisruptionTarget", "True", "PreemptionByScheduler", "")
        )
        self.store.delete(POD, meta["namespace"], meta["name"])

    def out_of_memory(self, pod: Object, place: Place) -> None:
        if place.agent is None or not place.agent.runs() or place.agent.is_dark:
            return
        self.touch(pod)
        self.world.truth.by_cluster.add(place.agent.key)
        place.agent.leave(137)
        self.change(pod, states.ended(137, "OOMKilled"))
        self.forget(place)

    def node_is_lost(self, pod: Object, place: Place) -> None:
        """Its processes end, or go on where nobody sees them until their lease is over."""
        if place.agent is not None and self.world.chance.random() < 0.5:
            place.agent.leave(137)
        elif place.agent is not None:
            place.agent.is_dark = True
            place.agent.hang_up()
        elif self.world.chance.random() < 0.5:
            place.starts_at = NEVER
        self.change(pod, states.taken("NodeLost", "Node node-1 is unresponsive"))

    def finalizer(self, pod: Object, place: Place) -> None:
        """Somebody else's: a deletion takes until they have let go."""

        def edit(pod: Object) -> None:
            pod["metadata"]["finalizers"] = ["example.com/kept"]

        self.change(pod, edit)
        place.kept_s = 40.0

    def labels(self, pod: Object, place: Place) -> None:
        """Somebody adds a label of their own."""
        self.change(pod, lambda each: each["metadata"]["labels"].update({"team": "other"}))


def without_finalizers(found: Any) -> None:
    found["metadata"].pop("finalizers", None)
