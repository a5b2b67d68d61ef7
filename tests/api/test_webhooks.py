"""Webhooks: made by people, called by other systems with signatures; each delivery makes one thing, and is kept."""

import hashlib
import hmac
import json
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from headway import clock, wire
from headway.client import Client
from headway.core.webhooks import BODY_BYTES_MAX, sign
from headway.errors import Conflict, NotFound, UsageError
from headway.store import webhooks as store
from headway.store.transact import Session
from tests.api import people
from tests.api.browser import API
from tests.scenarios.test_assets import producer, runs_of
from tests.scenarios.world import deploy, task

FIELDS = {"rows": "data.rows", "all": "."}
BODY = {"data": {"rows": 7}, "batch": "b-1", "day": "2026-01-31"}


def post(
    url: str, body: bytes | str | dict[str, Any], headers: dict[str, str]
) -> tuple[int, dict[str, Any]]:
    data = body if isinstance(body, bytes) else encoded(body)
    try:
        with urlopen(Request(url, data=data, headers=headers)) as answer:
            return answer.status, json.load(answer)
    except HTTPError as error:
        with error:
            return error.code, json.load(error)


def encoded(body: str | dict[str, Any]) -> bytes:
    return (body if isinstance(body, str) else json.dumps(body)).encode()


def signed(secret: str, body: str | dict[str, Any], at: datetime | None = None) -> dict[str, str]:
    return {"X-Headway-Signature": sign(secret, at or clock.now(), encoded(body))}


def by_github(secret: str, body: str | dict[str, Any], delivery: str = "1") -> dict[str, str]:
    found = hmac.new(secret.encode(), encoded(body), hashlib.sha256).hexdigest()
    return {"X-Hub-Signature-256": f"sha256={found}", "X-GitHub-Delivery": delivery}


def hook(client: Client, **wanted: Any) -> wire.NewWebhook:
    request = wire.WebhookRequest(**{"name": "feed", "asset": "orders", **wanted})
    made = client.create_webhook(request)
    # The address that people reach is not that of this server.
    path = made.url[made.url.index("/api/") :]
    return wire.NewWebhook(
        **{**{n: getattr(made, n) for n in made.__struct_fields__}, "url": client.url + path}
    )


def outcomes(client: Client, name: str = "feed") -> list[tuple[str, str]]:
    return [(each.outcome, each.detail) for each in client.webhook_deliveries(name, 50)]


def test_a_signed_request_reports_an_event(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client, fields=FIELDS, key_path="batch", partition_path="day")
    assert made.secret.startswith("hws_")
    assert made.secret not in str(client.webhooks())
    status, answer = post(made.url, BODY, signed(made.secret, BODY))
    assert status == 200, answer
    (event,) = client.asset_events("orders", 10)
    assert answer == {"made": str(event.event_id), "repeated": False}
    assert (event.extra, event.partition) == ({"rows": 7, "all": BODY}, "2026-01-31")
    assert event.by == "webhook:feed"
    (kept,) = client.webhook_deliveries("feed", 10)
    assert (kept.outcome, kept.made, json.loads(kept.body or "")) == (
        "accepted",
        answer["made"],
        BODY,
    )


def test_a_signed_request_starts_a_run(client: Client, conn: Session) -> None:
    deploy(conn, task("work"), dag_id="load")
    made = hook(client, asset=None, dag_id="load")
    headers = by_github(made.secret, BODY, "github-1")
    status, answer = post(made.url, BODY, headers)
    assert (status, [answer["made"]]) == (200, runs_of(conn, "load"))
    run = client.run(answer["made"])
    assert (run.created_by, run.trigger) == ("webhook:feed", "manual")
    assert client.webhook_deliveries("feed", 1)[0].delivery_id == "github-1"


def test_the_same_signature_the_same_key_and_the_same_delivery_are_one(
    client: Client, conn: Session
) -> None:
    producer(conn, "orders")
    by_key, by_id = hook(client, key_path="batch"), hook(client, name="other")
    first = signed(by_key.secret, BODY)
    _, made = post(by_key.url, BODY, first)
    assert post(by_key.url, BODY, {**first, "X-Headway-Delivery": "new"}) == (
        200,
        {**made, "repeated": True},
    )
    later = signed(by_key.secret, BODY, clock.now() + timedelta(seconds=60))
    assert post(by_key.url, BODY, later) == (200, {**made, "repeated": True})
    changed = {**BODY, "batch": "b-2"}
    assert post(by_key.url, changed, signed(by_key.secret, changed))[1]["made"] != made["made"]
    known = {"X-Headway-Delivery": "d1"}
    _, other = post(by_id.url, "{}", {**signed(by_id.secret, "{}"), **known})
    again = signed(by_id.secret, "{}", clock.now() + timedelta(seconds=60))
    assert post(by_id.url, "{}", {**again, **known}) == (200, {**other, "repeated": True})
    assert len(client.asset_events("orders", 10)) == 3


def test_the_same_request_many_times_at_once_makes_one_event(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    headers = signed(made.secret, BODY)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: post(made.url, BODY, headers), range(8)))
    (event,) = client.asset_events("orders", 10)
    assert {(status, answer["made"]) for status, answer in answers} == {(200, str(event.event_id))}
    assert sum(not answer["repeated"] for _, answer in answers) == 1


def test_a_signature_without_a_time_counts_once_after_its_delivery_is_gone(
    client: Client, conn: Session, owner_conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "KEPT", 2)
    monkeypatch.setattr(store, "SURELY", timedelta(0))
    producer(conn, "orders")
    made = hook(client)
    _, first = post(made.url, BODY, by_github(made.secret, BODY))
    for number in range(4):
        post(
            made.url,
            {**BODY, "n": number},
            by_github(made.secret, {**BODY, "n": number}, f"of {number}"),
        )
    assert len(outcomes(client)) == 2
    recorded = by_github(made.secret, BODY, "of another id")
    assert post(made.url, BODY, recorded) == (200, {**first, "repeated": True})
    assert len(client.asset_events("orders", 10)) == 5

    owner_conn.execute("UPDATE webhook_signature SET at = at - interval '366 days'")
    post(made.url, "{}", by_github(made.secret, "{}", "a year later"))
    assert len(client.asset_events("orders", 10)) == 6
    left = owner_conn.execute("SELECT count(*) FROM webhook_signature").fetchone()
    assert left == (1,), "old ones are forgotten"


def test_unknown_disabled_wrong_and_late_have_one_answer(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    late = clock.now() - timedelta(minutes=6)
    answers = [
        post(made.url[:-1] + "~", BODY, signed(made.secret, BODY)),
        post(made.url, BODY, signed("hws_another", BODY)),
        post(made.url, BODY, signed(made.secret, BODY, late)),
        post(made.url, BODY, {}),
        post(made.url, {**BODY, "batch": "b-2"}, by_github(made.secret, BODY)),
    ]
    client.ask("PATCH", "/webhooks/feed", b'{"disabled": true}', {})
    answers.append(post(made.url, BODY, signed(made.secret, BODY)))
    assert answers[0][0] == 404
    assert answers == [answers[0]] * 6
    assert client.asset_events("orders", 10) == []
    assert {outcome for outcome, _ in outcomes(client)} == {"refused"}
    assert len(outcomes(client)) == 5
    assert all(each.body is None for each in client.webhook_deliveries("feed", 10))
    client.ask("PATCH", "/webhooks/feed", b'{"disabled": false}', {})
    assert post(made.url, BODY, signed(made.secret, BODY))[0] == 200


@pytest.mark.parametrize(
    ("body", "wanted", "told"),
    [
        ("not json", {}, "not JSON"),
        ("{}", {"fields": {"rows": "data.rows"}}, "nothing at data.rows"),
        ("{}", {"key_path": "batch"}, "its key"),
        ("{}", {"partition_path": "day"}, "no text or number at 'day'"),
        ('{"a": "\\u0000"}', {"fields": {"a": "a"}}, "NUL"),
    ],
)
def test_a_proven_sender_hears_what_is_wrong_and_may_send_it_again(
    client: Client, conn: Session, body: str, wanted: dict[str, Any], told: str
) -> None:
    producer(conn, "orders")
    made = hook(client, **wanted)
    status, answer = post(made.url, body, by_github(made.secret, body))
    assert status == 400
    assert told in f"{answer['detail']} {answer.get('hint')}"
    assert post(made.url, body, by_github(made.secret, body))[0] == 400
    assert [outcome for outcome, _ in outcomes(client)] == ["failed", "failed"]
    assert client.asset_events("orders", 10) == []


def test_a_body_that_is_too_large_is_refused(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    body = json.dumps("x" * BODY_BYTES_MAX)
    assert post(made.url, body, signed(made.secret, body))[0] == 413
    assert outcomes(client) == []


def test_after_a_rotation_both_secrets_count_for_the_overlap(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    new = client.rotate_webhook("feed", 1)
    assert new.secret != made.secret
    for number, secret in enumerate((made.secret, new.secret)):
        body = {"number": number}
        assert post(made.url, body, signed(secret, body))[0] == 200
    last = client.rotate_webhook("feed", 0)
    for secret, status in ((made.secret, 404), (new.secret, 404), (last.secret, 200)):
        assert post(made.url, BODY, signed(secret, BODY))[0] == status


@pytest.mark.parametrize(("kind", "verb"), [("dag", "run.trigger"), ("asset", "asset.emit")])
def test_who_may_not_do_what_a_webhook_does_gets_no_secret_of_it(
    url: str, client: Client, conn: Session, kind: str, verb: str
) -> None:
    """Whoever manages webhooks only would start runs with a new secret, or with what came before."""
    producer(conn, "orders")
    made = hook(client, **({"asset": None, "dag_id": "d"} if kind == "dag" else {}))
    post(made.url, BODY, signed(made.secret, BODY))
    (kept,) = client.webhook_deliveries("feed", 10)
    admin = people.local(url)
    for name, verbs in (("less", ["webhook.manage"]), ("more", ["webhook.manage", verb])):
        role = {"name": name, "verbs": verbs, "description": ""}
        assert admin.ask("POST", f"{API}/roles", role).status == 201
        people.create(url, name, name)
    hooks = f"{API}/webhooks/feed"
    asked: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", f"{hooks}/rotate", {"overlap_hours": 1}),
        ("POST", f"{hooks}/deliveries/{kept.number}/replay", {}),
        ("PATCH", hooks, {"disabled": False}),
        ("POST", f"{API}/webhooks", {"name": "two", **({"dag_id": "d"} if kind == "dag" else {"asset": "orders"})}),
    ]  # fmt: skip
    less, more = (people.signed_in(url, name) for name in ("less", "more"))
    before = client.webhook_deliveries("feed", 10)
    refused = [less.ask(*each) for each in asked]
    assert [answer.status for answer in refused] == [403] * 4
    assert {verb in answer.json["detail"] for answer in refused} == {True}
    assert client.webhook_deliveries("feed", 10) == before
    assert less.ask("PATCH", hooks, {"disabled": True}).status == 200, "whoever manages may stop it"
    assert less.ask("POST", f"{API}/webhooks/none/rotate", {"overlap_hours": 1}).status == 404
    assert [more.ask(*each).status for each in asked] == [200, 200, 200, 201]


def test_a_new_master_key_wraps_the_secrets_of_webhooks_too(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    assert client.rotate_secrets().rewrapped == 1
    assert post(made.url, BODY, signed(made.secret, BODY))[0] == 200


def test_a_kept_delivery_is_replayed_as_a_new_event(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client, fields=FIELDS)
    post(made.url, BODY, signed(made.secret, BODY))
    post(made.url, BODY, signed("hws_wrong", BODY))
    refused, accepted = client.webhook_deliveries("feed", 10)
    again = client.replay_delivery("feed", accepted.number)
    first, second = client.asset_events("orders", 10)
    assert (first.extra, str(first.event_id)) == (second.extra, again.made)
    assert client.webhook_deliveries("feed", 1)[0].replay_of == accepted.number
    with pytest.raises(Conflict, match="refused"):
        client.replay_delivery("feed", refused.number)
    with pytest.raises(NotFound, match="no delivery"):
        client.replay_delivery("feed", 999_999)


def test_only_the_last_deliveries_are_kept_and_refused_ones_push_out_no_other(
    client: Client, conn: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "REFUSED_KEPT", 2)
    producer(conn, "orders")
    made = hook(client)
    post(made.url, BODY, signed(made.secret, BODY))
    for _ in range(4):
        post(made.url, BODY, {})
    assert [outcome for outcome, _ in outcomes(client)] == ["refused", "refused", "accepted"]


@pytest.mark.parametrize(
    ("wanted", "error", "told"),
    [
        ({"name": "../up"}, UsageError, "cannot be the name"),
        ({"dag_id": "d"}, UsageError, "either an asset or a DAG"),
        ({"asset": None}, UsageError, "either an asset or a DAG"),
        ({"asset": "ordres"}, NotFound, 'did you mean "orders"'),
        ({"asset": None, "dag_id": "nothing"}, NotFound, "no DAG"),
        ({"asset": "@shop/orders"}, UsageError, "only that team"),
        ({"asset": None, "dag_id": "d", "partition_path": "a"}, UsageError, "no partition"),
        ({"fields": {"a": ""}}, UsageError, "path of 'a'"),
    ],
)
def test_a_webhook_that_cannot_work_is_refused(
    client: Client, conn: Session, wanted: dict[str, Any], error: type[Exception], told: str
) -> None:
    producer(conn, "orders")
    with pytest.raises(error) as caught:
        hook(client, **wanted)
    assert told in f"{caught.value} {getattr(caught.value, 'hint', '')}"
    assert client.webhooks() == []


def test_names_are_unique_and_a_deleted_webhook_is_unknown(client: Client, conn: Session) -> None:
    producer(conn, "orders")
    made = hook(client)
    with pytest.raises(Conflict, match="already"):
        hook(client)
    client.delete_webhook("feed")
    assert post(made.url, BODY, signed(made.secret, BODY))[0] == 404
    with pytest.raises(NotFound, match="no webhook"):
        client.webhook("feed")
