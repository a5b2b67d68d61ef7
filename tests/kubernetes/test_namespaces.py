"""The objects of teams in the cluster: made, repaired, changed, removed. Database and executor are real."""

import selectors
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
from psycopg import Connection

from headway import clock
from headway.core.cluster import ClusterSettings
from headway.executors.base import Host
from headway.executors.kubernetes import namespaces
from headway.executors.kubernetes.drift import drift
from headway.executors.kubernetes.executor import Pods
from headway.executors.kubernetes.namespaces import Namespaces
from headway.executors.kubernetes.objects import of_team
from headway.executors.kubernetes.settings import Settings
from headway.store.transact import ENGINE, connect
from tests.kubernetes.fake.kinds import (
    ACCOUNT,
    BINDING,
    KINDS,
    LIMITS,
    NAMESPACE,
    POD,
    POLICY,
    QUOTA,
    ROLE,
)
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.fake.store import Object

PATIENCE_S: Final = 60.0
HOME: Final = "headway-default"
OURS: Final = (ACCOUNT, QUOTA, LIMITS, ROLE, BINDING, ROLE, BINDING, POLICY, POLICY)


@pytest.fixture
def server() -> Iterator[ApiServer]:
    server = ApiServer()
    server.start()
    yield server
    server.stop()


def settings_for(server: ApiServer, folder: Path, **changes: Any) -> Settings:
    given: dict[str, Any] = {
        "image": "headway:test",
        "listen": f"unix:{folder}/{changes.get('install', 'headway')}.sock",
        "connect": "tcp:headway-scheduler.headway:7077",
        "kubeconfig": str(server.kubeconfig(folder / "kubeconfig")),
        "request_timeout_s": 5.0,
    }
    return Settings(**(given | changes))


class Engine:
    """A scheduler's executor, as far as it looks after namespaces."""

    def __init__(self, dsn: str, settings: Settings, name: str = "kubernetes") -> None:
        self.conn = connect(dsn, role=ENGINE, application="test")
        self.selector = selectors.DefaultSelector()

        def safely(step: Callable[[], object]) -> bool:
            step()
            return True

        host = Host(
            conn=self.conn,
            selector=self.selector,
            versions=None,  # type: ignore[arg-type]
            safely=safely,
            rebound=lambda *_: None,
        )
        self.pods = Pods(host, settings, data="/data", name=name)

    def until(self, condition: Callable[[], bool]) -> None:
        deadline = clock.monotonic() + PATIENCE_S
        while not condition():
            assert clock.monotonic() < deadline
            self.look()

    def look(self) -> None:
        """Look, and take in all answers."""
        self.pods.look_for_teams()
        deadline = clock.monotonic() + PATIENCE_S
        looked: Namespaces = self.pods.namespaces
        while True:
            for key, events in self.selector.select(0.01):
                key.data(events)
            self.pods.cluster.take()
            if not looked.busy:
                return
            assert clock.monotonic() < deadline

    def close(self) -> None:
        self.pods.close()
        self.conn.close()
        self.selector.close()


@pytest.fixture
def engine(dsn: str, server: ApiServer, tmp_path: Path) -> Iterator[Engine]:
    engine = Engine(dsn, settings_for(server, tmp_path))
    yield engine
    engine.close()


def state(conn: Connection[Any], team_id: int = 1) -> tuple[str, str | None]:
    row = conn.execute(
        "SELECT state, trouble FROM team_cluster WHERE team_id = %s", [team_id]
    ).fetchone()
    return ("", None) if row is None else (row[0], row[1])


def is_ready(conn: Connection[Any], team_id: int = 1) -> bool:
    return state(conn, team_id)[0] == "ready"


def age(conn: Connection[Any]) -> None:
    """Let it be time to look again."""
    conn.execute("UPDATE team_cluster SET checked_at = checked_at - interval '1 hour'")


def audited(conn: Connection[Any], action: str) -> list[Any]:
    rows = conn.execute("SELECT detail FROM audit WHERE action = %s ORDER BY seq", [action])
    return [detail for (detail,) in rows]


def written(server: ApiServer) -> list[str]:
    return [each for each in server.requests if not each.startswith("GET")]


def one(server: ApiServer, kind: Any) -> Object:
    (found,) = [o for o in server.store.every(kind, HOME)[0] if o["metadata"]["name"] != "default"]
    return found


def test_a_team_gets_a_restricted_namespace_with_all_that_it_needs(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    settings = {"cpu": "64", "annotations": {"eks.amazonaws.com/role-arn": "arn:x"}}
    settings |= {"pull_secrets": ["registry"], "egress": ["10.1.0.0/16:5432"]}
    conn.execute("UPDATE team SET cluster = %s::jsonb", [msgspec.json.encode(settings).decode()])
    engine.until(lambda: is_ready(conn))
    namespace = server.store.get(NAMESPACE, "", HOME)["metadata"]
    assert namespace["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert namespace["labels"]["headway.dev/team"] == "default"
    account = one(server, ACCOUNT)
    assert account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"] == "arn:x"
    assert account["imagePullSecrets"] == [{"name": "registry"}]
    assert account["automountServiceAccountToken"] is False
    hard = {"pods": "100", "requests.cpu": "64", "limits.cpu": "64"}
    assert one(server, QUOTA)["spec"]["hard"] == hard
    of_pods, of_pools = server.store.get(ROLE, HOME, "headway-executor")["rules"]
    assert of_pods == {
        "apiGroups": [""],
        "resources": ["pods"],
        "verbs": ["get", "list", "watch", "create", "patch", "delete"],
    }
    assert of_pools == {
        "apiGroups": ["apps"],
        "resources": ["deployments"],
        "verbs": ["get", "create", "patch", "delete"],
    }
    (of_tasks,) = server.store.get(ROLE, HOME, "headway-task")["rules"]
    assert of_tasks == {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get"]}
    for name, account_of in (("headway-executor", "headway"), ("headway-task", HOME)):
        binding = server.store.get(BINDING, HOME, name)
        assert binding["roleRef"]["name"] == name
        assert [each["namespace"] for each in binding["subjects"]] == [account_of]
    deny, tasks = server.store.every(POLICY, HOME)[0]
    assert deny["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert len(tasks["spec"]["egress"]) == 3  # names, the scheduler, and what the team may reach
    engine.until(lambda: engine.pods.shares[1].is_ready)
    assert audited(owner_conn, "cluster.apply") == [{"settings": settings}]


def test_a_second_look_writes_nothing(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    engine.until(lambda: is_ready(conn))
    before = written(server)
    age(conn)
    engine.look()
    assert written(server) == before
    assert audited(owner_conn, "cluster.repair") == []


def test_what_somebody_changed_or_deleted_is_repaired_and_told(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    engine.until(lambda: is_ready(conn))
    store = server.store
    store.change(QUOTA, HOME, "headway", lambda q: q["spec"]["hard"].update(pods="9999"))
    store.delete(POLICY, HOME, "headway-default-deny")
    store.change(
        ACCOUNT, HOME, "headway-task", lambda a: a.update(imagePullSecrets=[{"name": "x"}])
    )
    age(conn)
    engine.look()
    assert one(server, QUOTA)["spec"]["hard"]["pods"] == "100"
    assert len(store.every(POLICY, HOME)[0]) == 2
    assert one(server, ACCOUNT)["imagePullSecrets"] == [{"name": "x"}]  # what others add is theirs
    (told,) = audited(owner_conn, "cluster.repair")
    assert told["repairs"] == [
        "ResourceQuota headway: spec.hard.pods is 9999, not 100",
        "NetworkPolicy headway-default-deny was missing",
    ]


def test_a_change_of_settings_is_no_drift(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    conn.execute("""UPDATE team SET cluster = '{"cpu": "4", "memory": "8Gi"}'""")
    engine.until(lambda: is_ready(conn))
    conn.execute("""UPDATE team SET cluster = '{"cpu": "8", "pods": 3}'""")
    hard = {"pods": "3", "requests.cpu": "8", "limits.cpu": "8"}
    engine.until(lambda: one(server, QUOTA)["spec"]["hard"] == hard)
    assert audited(owner_conn, "cluster.repair") == []
    engine.look()
    assert engine.pods.shares[1].pods_max == 3


def test_two_installs_do_not_touch_each_other(
    conn: Connection[Any], dsn: str, server: ApiServer, engine: Engine, tmp_path: Path
) -> None:
    engine.until(lambda: is_ready(conn))
    other = Engine(dsn, settings_for(server, tmp_path, install="other"), "elsewhere")
    before = written(server)
    try:
        other.until(
            lambda: "trouble" in [s for (s,) in conn.execute("SELECT state FROM team_cluster")]
        )
        trouble = conn.execute(
            "SELECT trouble FROM team_cluster WHERE state = 'trouble'"
        ).fetchone()
        assert trouble is not None
        assert "belongs to the install 'headway'" in trouble[0]
        assert written(server) == before
        other.look()
        assert not other.pods.shares[1].is_ready
    finally:
        other.close()


def delete_team(conn: Connection[Any]) -> None:
    conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 2")


def test_a_deleted_team_leaves_nothing_and_its_pods_go_first(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    engine.until(lambda: is_ready(conn, 2))
    labels = {"headway.dev/install": "headway"}
    meta = {"name": "a", "namespace": "headway-other", "labels": labels}
    server.store.create(
        POD, {"metadata": meta, "spec": {"containers": []}, "status": {"phase": "Running"}}
    )
    delete_team(conn)
    engine.until(lambda: state(conn, 2) == ("", None))
    assert [n["metadata"]["name"] for n in server.store.every(NAMESPACE, "")[0]] == [HOME]
    deletions = [each for each in server.requests if each.startswith("DELETE")]
    assert [each.rpartition("/")[2] for each in deletions] == ["a", "headway-other"]
    assert len(audited(owner_conn, "cluster.delete")) == 1


def test_a_namespace_that_was_there_before_stays(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    server.store.create(NAMESPACE, {"metadata": {"name": "headway-other", "labels": {"a": "b"}}})
    engine.until(lambda: is_ready(conn, 2))
    delete_team(conn)
    engine.until(lambda: state(conn, 2) == ("", None))
    left = server.store.get(NAMESPACE, "", "headway-other")["metadata"]["labels"]
    assert left == {"a": "b"}
    names = [
        o["metadata"]["name"]
        for kind in KINDS
        if kind.namespaced
        for o in server.store.every(kind, "headway-other")[0]
    ]
    assert names == []


def test_a_new_team_waits_until_the_namespace_of_the_deleted_one_is_gone(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    engine.until(lambda: is_ready(conn, 2))
    first = server.store.get(NAMESPACE, "", "headway-other")["metadata"]["uid"]
    delete_team(conn)
    conn.execute("INSERT INTO team (team_id, name) VALUES (3, 'other')")
    engine.until(lambda: is_ready(conn, 3))
    assert server.store.get(NAMESPACE, "", "headway-other")["metadata"]["uid"] != first


def test_trouble_is_shown_and_goes(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    server.faults.refuse("PATCH", "/roles/", 403, "no rights", reason="Forbidden")
    engine.until(lambda: state(conn)[0] == "trouble")
    assert state(conn)[1] == "no rights"
    engine.look()
    assert not engine.pods.shares[1].is_ready
    age(conn)
    engine.until(lambda: is_ready(conn))
    assert state(conn)[1] is None


def test_a_mistake_of_ours_is_shown_and_looked_at_again(
    conn: Connection[Any], engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ValueError("odd")

    with monkeypatch.context() as patched:
        patched.setattr(namespaces, "level", fail)
        engine.until(lambda: state(conn) == ("trouble", "ValueError: odd"))
    age(conn)
    engine.until(lambda: is_ready(conn))


def test_amounts_are_compared_as_amounts() -> None:
    assert drift({"cpu": "1000m", "memory": "1024Mi"}, {"cpu": "1", "memory": "1Gi"}) == []
    assert drift({"a": {"b": ["1"]}}, {"a": {"b": ["1", "2"]}}) == ["a.b is ['1', '2'], not ['1']"]
    assert drift({"a": {"b": "1"}}, {"a": {"c": 1}}) == ["a.b is missing, not 1"]


def test_no_object_gives_more_than_it_must(server: ApiServer, tmp_path: Path) -> None:
    """No wildcard, no right outside the namespace, none to secrets or to run commands."""
    objects = of_team(settings_for(server, tmp_path), "a", ClusterSettings())
    assert [each["kind"] for each in objects] == [kind.kind for kind in (NAMESPACE, *OURS)]
    for each in objects:
        assert "Cluster" not in each["kind"]
        for rule in each.get("rules", ()):
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
            assert rule["resources"] in (["pods"], ["deployments"], ["pods", "pods/log"])
