"""``headway run`` of a DAG that another team granted, by a program that has a token of its own team."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer

from headway import config, wire
from headway.cli.params import values_of
from headway.cli.run import run
from headway.client.client import Client, client_of
from headway.errors import NotAllowed, UsageError
from headway.store.transact import Session
from tests.api import people, seed
from tests.api.browser import API, Browser

MARKETING = {"Headway-Team": "marketing"}


@pytest.fixture
def admin(url: str, owner_conn: Session) -> Browser:
    seed.dag(owner_conn, "sales")
    found = people.local(url)
    assert found.ask("POST", f"{API}/teams", {"name": "marketing"}).status == 201
    return found


@pytest.fixture(autouse=True)
def guest(url: str, admin: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment of somebody in marketing who names the team default."""
    user = {"name": "ann", "role": "operator"}
    assert admin.ask("POST", f"{API}/users", user, MARKETING).status == 201
    asked = {"name": "t", "user": "ann", "role": "operator"}
    made = admin.ask("POST", f"{API}/tokens", asked, MARKETING)
    assert made.status == 201, made.body
    monkeypatch.setenv("HEADWAY_URL", url)
    monkeypatch.setenv("HEADWAY_TOKEN", made.json["token"])
    monkeypatch.setenv("HEADWAY_TEAM", "default")


def give(admin: Browser, kind: str) -> None:
    body = {"grantee": "marketing", "name": "sales", "kind": kind}
    assert admin.ask("POST", f"{API}/grants", body).status == 201


def started(conn: Session) -> list[tuple[str, str]]:
    return conn.execute("SELECT run_id, created_by FROM run WHERE dag_id = 'sales'").fetchall()


def test_it_starts_what_is_granted(
    admin: Browser, owner_conn: Session, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(NotAllowed):
        run("sales")
    assert started(owner_conn) == []
    give(admin, "start")
    run("sales")
    ((run_id, by),) = started(owner_conn)
    told = capsys.readouterr()
    assert (by, told.out.strip()) == ("user:ann", run_id)
    assert "no grant lets your team see the runs" in told.err
    for target in ("other", "missing"):
        with pytest.raises(NotAllowed):
            run(target)


@pytest.mark.parametrize(("state", "code"), [("success", 0), ("failed", 1)])
def test_it_waits_for_the_end_where_the_runs_are_shown(
    admin: Browser, owner_conn: Session, monkeypatch: pytest.MonkeyPatch, state: str, code: int
) -> None:
    give(admin, "start")
    give(admin, "see_runs")
    trigger = Client.trigger

    def triggered(*asked: Any) -> wire.Run:
        """It ends as soon as it has been started."""
        made = trigger(*asked)
        owner_conn.execute("UPDATE run SET state = %s, ended_at = now()", [state])
        return made

    monkeypatch.setattr(Client, "trigger", triggered)
    if code == 0:
        run("sales")
        return
    with pytest.raises(typer.Exit) as ended:
        run("sales")
    assert ended.value.exit_code == code


@pytest.mark.parametrize(
    ("text", "value"), [("7", 7), ("[1]", [1]), ("monday", "monday"), ("", "")]
)
def test_parameters_without_their_types(
    admin: Browser, owner_conn: Session, text: str, value: object
) -> None:
    """A guest does not see the DAG, and so not what types it declares."""
    with closing(client_of(config.layout(None))) as client:
        assert values_of(client, "sales", {"x": text}) == {"x": value}


def test_a_file_is_of_the_machine_that_it_is_on(tmp_path: Path) -> None:
    file = tmp_path / "d.py"
    file.touch()
    with pytest.raises(UsageError, match="a server elsewhere"):
        run(str(file))
