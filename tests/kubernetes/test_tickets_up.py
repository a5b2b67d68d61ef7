"""Kerberos tickets of pods, against a real KDC: a task that outlives its first ticket still proves who it is.

The KDC, the renewer, the server and the tasks are real processes; API server and kubelet are the fake ones.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from headway.client import Client
from headway.core.cluster import TICKETS
from tests.cli.conftest import (
    connected,
    copy_data,
    headway,
    start,
    stop,
    to_success,
    wait_for_dag,
    wait_until,
)
from tests.cli.test_tickets import DAG, LIFE_S, SERVICE, made, who
from tests.kdc import REALM, Kdc
from tests.kubernetes.cluster import FakeCluster, fake_cluster
from tests.kubernetes.fake.kinds import NAMESPACE, POD, SECRET
from tests.kubernetes.fake.store import Object

pytestmark = pytest.mark.long

__all__ = ["made"]

HOME = "headway-default"
CONTAINER = """
from headway import container, dag


@dag(default_args={"retries": 0})
def other_image():
    container(
        "ask",
        image="shell:1",
        command=["sh", "-c", "klist && kvno SERVICE"],
        env={"KRB5CCNAME": "FILE:/tickets/krb5cc", "KRB5_CONFIG": "/tickets/krb5.conf"},
        volumes={"/tickets": {"secret": "headway-tickets", "read_only": True}},
    )
""".replace("SERVICE", SERVICE)


@dataclass
class Home:
    folder: Path
    cluster: FakeCluster
    client: Client
    config: bytes

    def cli(self, *words: str) -> str:
        done = headway(*words, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def give(self, namespace: str, keytab: bytes) -> None:
        """Make the secret of a team's keytab, as its people do."""
        store = self.cluster.server.store

        def is_there() -> bool:
            return namespace in [n["metadata"]["name"] for n in store.every(NAMESPACE, "")[0]]

        wait_until(is_there, "the namespace is not made")
        data = {"keytab": coded(keytab), "krb5.conf": coded(self.config)}
        store.create(SECRET, {"metadata": {"name": "keys", "namespace": namespace}, "data": data})

    def pods(self, word: str) -> list[Object]:
        return [p for p in self.cluster.pods(HOME) if word in p["metadata"]["name"]]


def coded(data: bytes) -> str:
    return base64.b64encode(data).decode()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, data: Path, made: Kdc) -> Iterator[Home]:
    folder = tmp_path_factory.mktemp("tickets")
    (folder / "dags").mkdir()
    in_pod = DAG.format(service=SERVICE).replace("@task\n", '@task(executor="kubernetes")\n')
    (folder / "dags" / "long_one.py").write_text(in_pod)
    (folder / "dags" / "other.py").write_text(CONTAINER)
    copy_data(data, folder)
    made.principal(SERVICE)
    config = made.exact().read_text()
    short = config.replace("[realms]", f"ticket_lifetime = {LIFE_S}s\n[realms]", 1).encode()
    with fake_cluster(tmp_path_factory.mktemp("cluster")) as cluster:
        process = start(folder, "--kubernetes", str(cluster.settings()))
        home = Home(folder, cluster, connected(folder / ".headway"), short)
        wait_for_dag(folder / ".headway", "long_one")
        wait_for_dag(folder / ".headway", "other_image")
        home.cli("team", "set", "default", "--keytab-secret", "keys")
        home.give(HOME, made.principal("batch").read_bytes())
        yield home
        home.client.close()
        stop(process)


def test_a_task_in_a_pod_that_takes_longer_than_its_ticket_still_authenticates(
    home: Home, made: Kdc
) -> None:
    run_id = to_success(home.client, "long_one")
    (result,) = home.client.xcoms(run_id)
    for name in ("first", "later"):
        assert who(made, result.value[name]) == f"batch@{REALM}"
    wait_until(
        lambda: "(kubernetes): ready" in home.cli("team", "show", "default"), "it is not well"
    )


def test_a_container_that_mounts_the_tickets_authenticates(home: Home) -> None:
    run_id = to_success(home.client, "other_image")
    log = home.cli("logs", run_id, "ask")
    assert f"Default principal: batch@{REALM}" in log
    assert f"{SERVICE}@{REALM}: kvno =" in log


def test_a_renewer_that_is_gone_leaves_tickets_and_comes_again(home: Home) -> None:
    store = home.cluster.server.store

    def has_ticket() -> bool:
        found = [s for s in store.every(SECRET, HOME)[0] if s["metadata"]["name"] == TICKETS]
        return bool(found) and "krb5cc" in (found[0].get("data") or {})

    wait_until(has_ticket, "there is no first ticket")
    (before,) = home.pods(TICKETS)
    meta = before["metadata"]
    store.delete(POD, meta["namespace"], meta["name"])
    store.delete(SECRET, HOME, TICKETS)  # and somebody deletes them, too
    wait_until(has_ticket, "there are no tickets")
    (after,) = home.pods(TICKETS)
    assert after["metadata"]["uid"] != meta["uid"]
    to_success(home.client, "long_one")


def test_a_keytab_that_the_kdc_does_not_take_is_told_with_its_words(home: Home, made: Kdc) -> None:
    keytab = made.principal("former").read_bytes()
    made.run("kadmin.local", "-q", f"delprinc -force former@{REALM}")
    home.cli("team", "create", "marketing", "--keytab-secret", "keys")
    home.give("headway-marketing", keytab)
    words = "not found in Kerberos database"
    wait_until(lambda: words in home.cli("team", "show", "marketing"), "it is not told")
    secrets = home.cluster.server.store.every(SECRET, "headway-marketing")[0]
    (tickets,) = (s for s in secrets if s["metadata"]["name"] == TICKETS)
    assert "krb5cc" not in (tickets.get("data") or {})  # nor those of another team
