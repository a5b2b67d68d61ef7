"""Kerberos tickets of a team's pods, without a KDC: the objects, who may do what, and what people are told."""

import base64
import json
import re
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any, Final

import pytest
from psycopg import Connection

from headway.agent import ticket_keeper
from headway.agent.protocol import AttemptKey
from headway.core.cluster import TICKETS, ClusterSettings, trouble
from headway.core.pod_policy import OPEN
from headway.core.warm import Bounds
from headway.executors.kubernetes import pool
from headway.executors.kubernetes.drafts import Draft
from headway.executors.kubernetes.final import Denied
from headway.executors.kubernetes.manifest import draft, own
from headway.executors.kubernetes.objects import of_team
from headway.executors.kubernetes.pods import Pod
from headway.executors.kubernetes.room import why_pending
from headway.executors.kubernetes.settings import Settings
from headway.executors.kubernetes.tickets import awaited, mounted, trouble_of
from headway.spec.model import Task
from tests.kubernetes.fake.kinds import (
    ACCOUNT,
    BINDING,
    DEPLOYMENT,
    NAMESPACE,
    POLICY,
    QUOTA,
    ROLE,
    SECRET,
)
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.test_namespaces import (
    HOME,
    Engine,
    age,
    audited,
    engine,
    is_ready,
    server,
    state,
    written,
)

__all__ = ["engine", "server"]

SETTINGS: Final = Settings(
    image="i",
    listen="tcp:a:1",
    connect="tcp:10.0.0.9:1",
    api_servers=("10.0.0.1/32:443",),
    egress=({"to": [{"ipBlock": {"cidr": "10.9.0.0/16"}}]},),
)
KERBEROS: Final = ClusterSettings(keytab_secret="keys", egress=("10.0.0.5/32:88",))
KEY: Final = AttemptKey("r", "a", -1, 1)
OURS: Final = (SECRET, ACCOUNT, ROLE, BINDING, POLICY, DEPLOYMENT)


def by_kind(cluster: ClusterSettings, name: str = TICKETS) -> dict[str, Any]:
    found = of_team(SETTINGS, "marketing", cluster)
    return {each["kind"]: each for each in found if each["metadata"]["name"] == name}


def set_keytab(conn: Connection[Any], text: str) -> None:
    conn.execute("UPDATE team SET cluster = %s::jsonb WHERE team_id = 1", [text])


def told(name: str, value: str) -> str:
    return base64.b64encode(f"{name} {value}".encode()).decode()


def run_renewer(server: ApiServer, until: str = "2099-01-01T00:00:00+00:00") -> None:
    """As if the renewer had run: a ticket is there, and its pod."""

    def write(secret: dict[str, Any]) -> None:
        secret["data"] = {"krb5cc": told("a", "ticket")}
        secret["metadata"].setdefault("annotations", {})[ticket_keeper.UNTIL] = until

    server.store.change(SECRET, HOME, TICKETS, write)
    server.store.change(DEPLOYMENT, HOME, TICKETS, lambda d: d.update(status={"readyReplicas": 1}))


def settle(conn: Connection[Any], server: ApiServer, engine: Engine) -> None:
    """Give the team a keytab, and let all be well."""
    set_keytab(conn, '{"keytab_secret": "keys"}')
    engine.until(lambda: bool(server.store.every(DEPLOYMENT, HOME)[0]))
    run_renewer(server)
    engine.until(lambda: is_ready(conn))


# -- objects and rights


def test_a_team_without_a_keytab_has_nothing_of_it() -> None:
    assert by_kind(ClusterSettings()) == {}
    rules = by_kind(ClusterSettings(), "headway-executor")["Role"]["rules"]
    assert not any("secrets" in rule["resources"] for rule in rules)


def test_the_renewer_may_read_and_change_one_secret() -> None:
    found = by_kind(KERBEROS)
    (rule,) = found["Role"]["rules"]
    assert rule == {
        "apiGroups": [""],
        "resources": ["secrets"],
        "resourceNames": [TICKETS],
        "verbs": ["get", "patch", "update"],
    }
    (subject,) = found["RoleBinding"]["subjects"]
    assert subject == {"kind": "ServiceAccount", "name": TICKETS, "namespace": "headway-marketing"}
    assert found["Deployment"]["spec"]["template"]["spec"]["serviceAccountName"] == TICKETS
    assert "data" not in found["Secret"]  # which is the renewer's


def test_the_scheduler_may_make_that_secret_and_look_at_no_other() -> None:
    rules = by_kind(KERBEROS, "headway-executor")["Role"]["rules"]
    of_secrets = [rule for rule in rules if "secrets" in rule["resources"]]
    assert of_secrets == [
        {
            "apiGroups": [""],
            "resources": ["secrets"],
            "resourceNames": [TICKETS],
            "verbs": ["get", "patch", "delete"],
        },
        {"apiGroups": [""], "resources": ["secrets"], "verbs": ["create"]},
    ]


def test_the_renewer_is_restricted_and_reaches_the_kdc_and_the_api_server() -> None:
    found = by_kind(KERBEROS)
    spec = found["Deployment"]["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert container["resources"]["requests"] == container["resources"]["limits"]
    labels = found["Deployment"]["spec"]["template"]["metadata"]["labels"]
    policy = found["NetworkPolicy"]["spec"]
    assert policy["podSelector"]["matchLabels"] == labels
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    assert "ingress" not in policy
    blocks = [
        p["ipBlock"]["cidr"] for rule in policy["egress"] for p in rule["to"] if "ipBlock" in p
    ]
    assert blocks == ["10.9.0.0/16", "10.0.0.5/32", "10.0.0.1/32"]  # and names


def test_what_the_renewer_needs_is_added_to_the_quota() -> None:
    plain = ClusterSettings(cpu="2", memory="1Gi", pods=3)
    given = ClusterSettings(cpu="2", memory="1Gi", pods=3, keytab_secret="keys")
    assert by_kind(plain, "headway")["ResourceQuota"]["spec"]["hard"]["pods"] == "3"
    hard = by_kind(given, "headway")["ResourceQuota"]["spec"]["hard"]
    assert hard == {
        "pods": "4",
        "requests.cpu": "2050m",
        "limits.cpu": "2050m",
        "requests.memory": "1152Mi",
        "limits.memory": "1152Mi",
    }


def test_the_secret_of_tickets_is_not_that_of_the_keytab() -> None:
    for name in ("", "Keys", TICKETS, "a/b"):
        assert "keytab_secret" in (trouble(ClusterSettings(keytab_secret=name)) or "")
    assert trouble(KERBEROS) is None


# -- pods of tasks


def of_task(**options: Any) -> dict[str, Any]:
    ours = mounted(own(SETTINGS, "marketing", "d", KEY))
    made = draft(SETTINGS, Task(task_id="a", **options), ours)
    Draft(made, ours, OPEN, "i", {}, "keys").check(made)
    return made


def test_a_task_finds_tickets_in_a_folder_that_the_kubelet_replaces() -> None:
    spec = of_task()["spec"]
    (container,) = spec["containers"]
    env = {each["name"]: each.get("value") for each in container["env"]}
    assert env["KRB5CCNAME"] == "FILE:/headway/tickets/krb5cc"
    assert env["KRB5_CONFIG"] == "/headway/tickets/krb5.conf:/etc/krb5.conf"
    (mount,) = (e for e in container["volumeMounts"] if e["name"] == "headway-tickets")
    assert mount == {"name": "headway-tickets", "mountPath": "/headway/tickets", "readOnly": True}
    assert "keys" not in json.dumps(spec)


def test_an_author_does_not_change_where_tickets_are() -> None:
    env = [{"name": "KRB5CCNAME", "value": "FILE:/tmp/mine"}]
    mine = {"name": "headway-tickets", "emptyDir": {}}
    spec = of_task(pod={"spec": {"containers": [{"name": "task", "env": env}]}})["spec"]
    (found,) = (e for e in spec["containers"][0]["env"] if e["name"] == "KRB5CCNAME")
    assert found["value"] == "FILE:/headway/tickets/krb5cc"
    with pytest.raises(Denied):
        of_task(pod={"spec": {"volumes": [mine]}})


def test_a_container_whose_author_mounts_the_tickets_begins_when_there_is_one() -> None:
    volume = {"name": "t", "secret": {"secretName": TICKETS}}
    pod = {"spec": {"containers": [], "volumes": [volume, {"name": "e", "emptyDir": {}}]}}
    found, other = awaited(pod)["spec"]["volumes"]
    assert found["projected"]["sources"][0]["secret"] == {
        "name": TICKETS,
        "items": [{"key": "krb5cc", "path": "krb5cc"}],
    }
    assert other == {"name": "e", "emptyDir": {}}


@pytest.mark.parametrize(
    "part",
    [
        {"spec": {"volumes": [{"name": "k", "secret": {"secretName": "keys"}}]}},
        {"spec": {"containers": [{"name": "task", "envFrom": [{"secretRef": {"name": "keys"}}]}]}},
        {
            "spec": {
                "containers": [
                    {
                        "name": "task",
                        "env": [
                            {
                                "name": "K",
                                "valueFrom": {"secretKeyRef": {"name": "keys", "key": "keytab"}},
                            }
                        ],
                    }
                ]
            }
        },
    ],
    ids=["volume", "variables", "variable"],
)
def test_no_task_gets_the_keytab(part: dict[str, Any]) -> None:
    with pytest.raises(Denied, match="the secret keys has the keytab of the team"):
        of_task(pod=part)


def test_not_by_the_hook_of_the_platform_either() -> None:
    made = of_task()
    sources = [{"secret": {"name": "keys"}}]
    for volume in (
        {"name": "k", "projected": {"sources": sources}},
        {"name": "k", "csi": {"driver": "d", "nodePublishSecretRef": {"name": "keys"}}},
    ):
        pod = deepcopy(made)
        pod["spec"]["volumes"].append(volume)
        with pytest.raises(Denied):
            Draft(pod, pod, OPEN, "i", {}, "keys").check(pod)


def test_agents_of_a_warm_pool_have_tickets_and_no_keytab() -> None:
    bounds = Bounds(0, 1, 2, 60)
    plain = pool.draft(SETTINGS, "marketing", ClusterSettings(), bounds)
    made = pool.draft(SETTINGS, "marketing", KERBEROS, bounds)
    names = {each["name"] for each in made.pod["spec"]["volumes"]}
    assert "headway-tickets" in names
    assert pool.version_of(plain) != pool.version_of(made)  # those without are replaced
    made.pod["spec"]["volumes"].append({"name": "k", "secret": {"secretName": "keys"}})
    with pytest.raises(Denied):
        made.check(made.pod)


# -- the reconciler


def test_what_the_renewer_writes_stays(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    settle(conn, server, engine)
    before = written(server)
    age(conn)
    engine.look()
    assert written(server) == before
    set_keytab(conn, '{"keytab_secret": "keys", "cpu": "4"}')
    engine.until(lambda: "cpu" in audited(owner_conn, "cluster.apply")[-1]["settings"])
    assert server.store.get(SECRET, HOME, TICKETS)["data"] == {"krb5cc": told("a", "ticket")}
    assert audited(owner_conn, "cluster.repair") == []


def test_a_secret_that_somebody_deleted_is_made_again_and_told(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    settle(conn, server, engine)
    server.store.delete(SECRET, HOME, TICKETS)
    age(conn)
    engine.look()
    assert server.store.get(SECRET, HOME, TICKETS)["metadata"]["name"] == TICKETS
    (repair,) = audited(owner_conn, "cluster.repair")
    assert repair["repairs"] == [f"Secret {TICKETS} was missing"]


def test_a_team_that_has_no_keytab_any_more_keeps_no_tickets(
    conn: Connection[Any], owner_conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    settle(conn, server, engine)
    set_keytab(conn, "{}")
    engine.until(lambda: server.store.get(QUOTA, HOME, "headway")["spec"]["hard"]["pods"] == "100")
    engine.until(lambda: is_ready(conn))
    names = {k.kind: {o["metadata"]["name"] for o in server.store.every(k, HOME)[0]} for k in OURS}
    assert not any(TICKETS in each for each in names.values()), names


def test_two_teams_never_share_tickets(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    conn.execute("INSERT INTO team (team_id, name) VALUES (2, 'other')")
    settle(conn, server, engine)
    engine.until(lambda: is_ready(conn, 2))
    assert server.store.every(SECRET, "headway-other")[0] == []
    (binding,) = (
        b for b in server.store.every(BINDING, HOME)[0] if b["metadata"]["name"] == TICKETS
    )
    assert [each["namespace"] for each in binding["subjects"]] == [HOME]


def test_a_deleted_team_leaves_no_tickets_in_a_namespace_that_was_there_before(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    other = "headway-other"
    server.store.create(NAMESPACE, {"metadata": {"name": other}})
    conn.execute(
        """INSERT INTO team (team_id, name, cluster) VALUES (2, 'other', '{"keytab_secret": "keys"}')"""
    )
    engine.until(lambda: bool(server.store.every(DEPLOYMENT, other)[0]))
    conn.execute("UPDATE team SET deleted_at = now() WHERE team_id = 2")
    engine.until(lambda: state(conn, 2) == ("", None))
    assert [
        o for kind in OURS for o in server.store.every(kind, other)[0] if kind is not ACCOUNT
    ] == []


def test_the_trouble_of_a_renewer_is_told_with_its_words_and_goes(
    conn: Connection[Any], server: ApiServer, engine: Engine
) -> None:
    set_keytab(conn, '{"keytab_secret": "keys"}')
    engine.until(lambda: state(conn)[0] == "trouble")
    assert "its pods begin when there is one" in str(state(conn)[1])

    def fail(secret: dict[str, Any]) -> None:
        notes = secret["metadata"].setdefault("annotations", {})
        notes[ticket_keeper.TROUBLE] = "Preauthentication failed"

    server.store.change(SECRET, HOME, TICKETS, fail)
    age(conn)
    engine.look()
    assert "no new Kerberos ticket: Preauthentication failed" in str(state(conn)[1])
    assert engine.pods.shares[1].is_ready  # its tasks may go on
    server.store.change(
        SECRET, HOME, TICKETS, lambda s: s["metadata"]["annotations"].pop(ticket_keeper.TROUBLE)
    )
    run_renewer(server)
    age(conn)
    engine.until(lambda: is_ready(conn))


NOW: Final = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER: Final = "2026-12-01T13:00:00+00:00"
BEFORE: Final = "2026-12-01T11:00:00+00:00"


@pytest.mark.parametrize(
    ("notes", "ready", "words"),
    [
        ({ticket_keeper.UNTIL: LATER}, 1, ""),
        (
            {ticket_keeper.UNTIL: LATER},
            0,
            f"the renewer does not run .*those that its pods have end at {LATER[:16]}",
        ),
        (
            {ticket_keeper.UNTIL: BEFORE},
            0,
            "ended at 2026-12-01T11:00:00.*the renewer does not run",
        ),
        (
            {ticket_keeper.UNTIL: LATER, ticket_keeper.TROUBLE: "no KDC"},
            1,
            "no new Kerberos ticket: no KDC; those",
        ),
        ({}, 0, "its pods begin when there is one"),
        # Of somebody else who may write it.
        ({ticket_keeper.UNTIL: "soon"}, 1, ""),
        ({ticket_keeper.UNTIL: LATER[:19]}, 1, ""),
        (
            {ticket_keeper.TROUBLE: "\0" * 100_000},
            1,
            "no new Kerberos ticket: \u2400{500}; its pods.*",
        ),
    ],
)
def test_what_is_said_of_tickets(notes: dict[str, str], ready: int, words: str) -> None:
    secret = {"metadata": {"annotations": notes}}
    found = trouble_of({"Secret": secret, "Deployment": {"status": {"readyReplicas": ready}}}, NOW)
    assert re.fullmatch(words, found) if not words else re.search(words, found), found


def test_a_pod_that_waits_for_the_first_ticket_says_so() -> None:
    waits = Pod(namespace="n", name="a", uid="u", waiting=("ContainerCreating", ""))
    assert why_pending(waits) is None
    assert "no KDC" in repr(why_pending(waits, "no new Kerberos ticket: no KDC"))
