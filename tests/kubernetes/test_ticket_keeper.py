"""The renewer of a team's Kerberos tickets, before the fake API server: what it may do, and what it makes of a KDC that
gives tickets or does not. With a real KDC: ``test_tickets_up``.
"""

import base64
from collections.abc import Iterator
from copy import deepcopy
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from headway import clock
from headway.agent import ticket_keeper
from headway.agent.ticket_keeper import Keeper, NotTold, Secret
from headway.agent.tickets import NoTicket
from headway.core.cluster import TICKETS
from headway.executors.kubernetes.objects import of_team
from tests.certificates import authority
from tests.kubernetes.fake.kinds import NAMESPACE, SECRET
from tests.kubernetes.fake.server import ApiServer
from tests.kubernetes.test_namespaces import server, written
from tests.kubernetes.test_tickets import KERBEROS, LATER, NOW, OURS, SETTINGS, told

__all__ = ["server"]


@pytest.fixture
def secret(server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Secret:
    """The secret as the renewer reaches it: by its token, with its role."""
    for each in of_team(SETTINGS, "marketing", KERBEROS):
        kind = next((k for k in (NAMESPACE, *OURS) if k.kind == each["kind"]), None)
        if kind is not None:
            server.create(kind, deepcopy(each))
    token = server.tokens.issue("headway-marketing", TICKETS, ("api",))
    (tmp_path / "token").write_text(token)
    (tmp_path / "ca.crt").write_text(server.ca)
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", server.inside[0])
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", str(server.inside[1]))
    return Secret(tmp_path, "headway-marketing", TICKETS)


class Kdc:
    """Gives tickets of an hour, or its words."""

    def __init__(self) -> None:
        self.given = 0
        self.words = ""

    def renewed(self, _: Path, cache: Path) -> float:
        if self.words:
            raise NoTicket(self.words)
        self.given += 1
        cache.write_text(f"ticket {self.given}")
        return 3600.0


@pytest.fixture
def kdc(monkeypatch: pytest.MonkeyPatch) -> Kdc:
    made = Kdc()
    monkeypatch.setattr(ticket_keeper, "renewed", made.renewed)
    return made


class Still(clock.Clock):
    passed_s = 0.0

    def monotonic(self) -> float:
        return self.passed_s

    def now(self) -> datetime:
        return NOW


@pytest.fixture
def still() -> Iterator[Still]:
    made = Still()
    with clock.use(made):
        yield made


def keeper(secret: Secret, tmp_path: Path) -> Keeper:
    (tmp_path / "keytab").touch()
    (tmp_path / "krb5.conf").write_text("[libdefaults]\n")
    return Keeper(secret, tmp_path / "keytab", tmp_path)


def cache_of(found: dict[str, Any]) -> str:
    return base64.b64decode(found["data"]["krb5cc"]).decode()


def notes_of(found: dict[str, Any]) -> dict[str, str]:
    return {k: v for k, v in found["metadata"]["annotations"].items() if "tickets-" in k}


def test_tickets_are_replaced_long_before_they_end(
    secret: Secret, kdc: Kdc, still: Still, tmp_path: Path, server: ApiServer
) -> None:
    kept = keeper(secret, tmp_path)
    assert kept.turn() == ticket_keeper.LOOK_S
    found = secret.read()
    assert cache_of(found) == "ticket 1"
    assert base64.b64decode(found["data"]["krb5.conf"]) == b"[libdefaults]\n"
    assert notes_of(found) == {ticket_keeper.UNTIL: LATER}
    before = written(server)
    kept.turn()
    assert written(server) == before  # nothing to change
    still.passed_s += 1200  # a third
    kept.turn()
    assert cache_of(secret.read()) == "ticket 2"
    assert kept.ready.exists()


def test_another_certificate_of_the_cluster_is_taken_up(
    secret: Secret, tmp_path: Path, server: ApiServer
) -> None:
    (tmp_path / "ca.crt").write_text(authority(tmp_path, "other").ca.read_text())
    with pytest.raises(NotTold, match="CERTIFICATE_VERIFY_FAILED"):
        secret.read()
    (tmp_path / "ca.crt").write_text(server.ca)
    assert secret.read()["kind"] == "Secret"


def test_the_last_ticket_stays_while_the_kdc_is_away(
    secret: Secret, kdc: Kdc, still: Still, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = keeper(secret, tmp_path)
    kept.turn()
    still.passed_s += 1200
    kdc.words = "Cannot contact any KDC for realm 'EXAMPLE.COM'"
    kept.turn()
    kept.turn()
    found = secret.read()
    assert cache_of(found) == "ticket 1"
    assert notes_of(found) == {ticket_keeper.UNTIL: LATER, ticket_keeper.TROUBLE: kdc.words}
    assert not kept.ready.exists()
    assert capsys.readouterr().err.count(kdc.words) == 1
    other = Keeper(
        secret, tmp_path / "keytab", tmp_path / "other"
    )  # another pod, which has none yet
    (tmp_path / "other").mkdir()
    other.turn()
    assert cache_of(secret.read()) == "ticket 1"
    kdc.words = ""
    still.passed_s += 10
    kept.turn()
    assert notes_of(secret.read()) == {ticket_keeper.UNTIL: LATER}


def test_what_somebody_did_to_the_secret_is_undone(
    secret: Secret, kdc: Kdc, still: Still, tmp_path: Path, server: ApiServer
) -> None:
    kept = keeper(secret, tmp_path)
    kept.turn()
    where = (SECRET, "headway-marketing", TICKETS)
    server.store.change(*where, lambda s: s.update(data={"krb5cc": told("another", "one")}))
    kept.turn()
    assert cache_of(secret.read()) == "ticket 1"
    server.store.delete(*where)
    assert kept.turn() == ticket_keeper.LOOK_S
    assert not kept.ready.exists()  # and it cannot make one
    server.create(SECRET, {"metadata": {"name": TICKETS, "namespace": "headway-marketing"}})
    kept.turn()
    assert cache_of(secret.read()) == "ticket 1"
    assert kdc.given == 1


def test_its_token_opens_no_other_secret(secret: Secret, server: ApiServer) -> None:
    meta = {"name": "keys", "namespace": "headway-marketing"}
    server.create(SECRET, {"metadata": meta})
    other = Secret(secret.folder, "headway-marketing", "keys")
    with pytest.raises(NotTold, match="403"):
        other.read()
    elsewhere = Secret(secret.folder, "headway-other", TICKETS)
    with pytest.raises(NotTold, match="403"):
        elsewhere.patch({})
