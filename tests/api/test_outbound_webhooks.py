"""Outbound webhooks by the API: a secret that is shown once, changes, tries, and Headway itself as the receiver."""

from typing import Any

import pytest

from headway import wire
from headway.client import Client
from headway.config import Layout
from headway.errors import Conflict, NotFound, UsageError
from headway.secrets.keys import local_keys
from headway.store.transact import Session
from tests.api.test_webhooks import hook, outcomes
from tests.outbound.receiver import receiving
from tests.outbound.world import World
from tests.scenarios.test_assets import producer, runs_of
from tests.scenarios.world import deploy, task

URL = "https://scheduler.example.com/events"


def wanted(**given: Any) -> wire.OutboundWebhookRequest:
    return wire.OutboundWebhookRequest(**{"name": "out", "url": URL, **given})


def changed(client: Client, **given: Any) -> wire.OutboundWebhook:
    return client.change_outbound_webhook("out", wire.OutboundWebhookChange(**given))


@pytest.fixture
def world(conn: Session, app_conn: Session, layout: Layout) -> World:
    return World(conn, app_conn, local_keys(layout.data, None))


def test_a_secret_is_shown_once_or_not_at_all(client: Client) -> None:
    made = client.create_outbound_webhook(wanted())
    assert str(made.secret).startswith("hws_")
    given = "a secret of the receiver"
    other = client.create_outbound_webhook(wanted(name="other", secret=given))
    assert other.secret is None
    changed(client, secret="another secret of the receiver")
    told = f"{client.outbound_webhooks()}{client.outbound_webhook('out')}{other}{client.audit(100)}"
    for secret in (str(made.secret), given, "another secret"):
        assert secret not in told
    assert [each.name for each in client.outbound_webhooks()] == ["other", "out"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"name": "a/b"}, "cannot be the name of"),
        ({"url": "ftp://example.com"}, "does not begin with https"),
        ({"url": "https://"}, "names no host"),
        ({"url": "https://a:70000/"}, "[Pp]ort"),
        ({"url": "https://me:word@example.com"}, "has a user or a password"),
        ({"url": "https://example.com/#x"}, "a part after #"),
        ({"url": "https://bücher.example/"}, "must be encoded"),
        ({"url": "https://example.com/\r\nX: y"}, "must be encoded"),
        ({"url": "https://example.com/" + "x" * 2_000}, "more than 2,000 characters"),
        ({"dags": []}, "1 to 50 patterns"),
        ({"dags": [""]}, "cannot be a pattern"),
        ({"states": []}, "give a state"),
        ({"states": ["succes"]}, "'succes' is not a state(.|\n)*success"),
        ({"events": []}, "give an event"),
        ({"events": ["run.end"]}, "'run.end' is not an event(.|\n)*run.ended"),
        ({"secret": "short"}, "16 to 200 characters"),
    ],
)
def test_what_is_wrong_is_said(client: Client, given: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        client.create_outbound_webhook(wanted(**given))
    client.create_outbound_webhook(wanted())
    if "name" not in given:
        with pytest.raises(UsageError, match=words):
            changed(client, **given)


def test_a_webhook_is_changed_and_deleted(client: Client) -> None:
    client.create_outbound_webhook(wanted(dags=["sales_*"]))
    with pytest.raises(Conflict, match="has an outbound webhook 'out' already"):
        client.create_outbound_webhook(wanted())
    found = changed(client, states=["failed"], with_params=True)
    assert (found.dags, found.states, found.with_params, found.url) == (
        ["sales_*"],
        ["failed"],
        True,
        URL,
    )
    assert changed(client, disabled=True).disabled_at is not None
    assert changed(client, url=f"{URL}/2").disabled_at is not None
    with pytest.raises(Conflict, match="is disabled"):
        client.ping_outbound_webhook("out")
    assert changed(client, disabled=False).disabled_at is None
    client.delete_outbound_webhook("out")
    with pytest.raises(NotFound, match="there is no outbound webhook 'out'"):
        client.outbound_deliveries("out", 1)
    with pytest.raises(NotFound):
        client.delete_outbound_webhook("out")


def test_a_team_has_so_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("headway.actions.outbound.HOOKS_MAX", 1)
    client.create_outbound_webhook(wanted())
    with pytest.raises(Conflict, match="that is the limit"):
        client.create_outbound_webhook(wanted(name="other"))


def test_deliveries_are_listed_and_sent_again(client: Client, world: World) -> None:
    deploy(world.conn, task("a"))
    with receiving() as receiver:
        client.create_outbound_webhook(wanted(url=receiver.url))
        ping = client.ping_outbound_webhook("out")
        run_id = world.end()
        world.send()
        assert {request.id for request in receiver.all()} == {
            ping.event_id,
            client.outbound_deliveries("out", 1)[0].event_id,
        }
        of_run, of_ping = client.outbound_deliveries("out", 10)
        assert (of_run.run_id, of_run.status, of_ping.run_id) == (run_id, "delivered", None)
        assert client.redeliver("out", of_run.number).status == "waiting"
        world.send()
        assert receiver.next().id == of_run.event_id
    with pytest.raises(NotFound, match="has no delivery 999"):
        client.redeliver("out", 999)


@pytest.mark.parametrize("loses_an_answer", [False, True])
def test_one_headway_receives_what_another_sends(
    client: Client, world: World, loses_an_answer: bool
) -> None:
    """The same scheme in both directions: the inbound verifier proves it, and a second try makes nothing new."""
    producer(world.conn, "upstream_runs")
    deploy(world.conn, task("a"), dag_id="sales_day")
    fields = {"dag": "dag_id", "state": "state"}
    made = hook(client, asset="upstream_runs", fields=fields, key_path="id")
    client.create_outbound_webhook(
        wanted(url=made.url, secret=made.secret, dags=["sales_*"], states=["success"])
    )
    world.end("sales_day")
    if loses_an_answer:
        lost = world.sender()
        lost.record = lambda *_: None  # type: ignore[method-assign]
        world.send(lost)
        world.later()
    world.send()
    (event,) = client.asset_events("upstream_runs", 10)
    assert event.extra == {"dag": "sales_day", "state": "success"}
    assert {outcome for outcome, _ in outcomes(client)} == {"accepted"}
    (sent,) = client.outbound_deliveries("out", 10)
    assert (sent.status, sent.code) == ("delivered", 200)


def test_a_wrong_secret_is_the_answer_of_the_receiver(client: Client, world: World) -> None:
    deploy(world.conn, task("a"))
    deploy(world.conn, task("a"), dag_id="load")
    made = hook(client, asset=None, dag_id="load")
    client.create_outbound_webhook(wanted(url=made.url, dags=["d"]))
    world.end()
    world.send()
    (sent,) = client.outbound_deliveries("out", 10)
    assert (sent.status, sent.code, runs_of(world.conn, "load")) == ("waiting", 404, [])
    assert "signature" in str(sent.answer)
