"""Teams as rows: only a platform admin makes them, and nothing opens a deleted one."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from psycopg import Connection, errors

from headway import clock
from headway.core.roles import Role
from headway.errors import Conflict, NotFound
from headway.identity import accounts
from headway.store import api_tokens, people, teams
from headway.store.transact import APP, ENGINE, Session, connect, enter_team, transact

ONE = Decimal(1)


@pytest.fixture
def app(database: str) -> Iterator[Session]:
    with connect(database, role=APP) as conn:
        yield conn


def admin_of(conn: Connection[tuple[object, ...]]) -> int:
    enter_team(conn, 1)
    return accounts.ensure_admin(conn, 1)


def make(conn: Connection[tuple[object, ...]], name: str) -> int:
    """A team of the local admin."""
    admin = admin_of(conn)
    team_id = teams.create(conn, admin, name, None, None, ONE)
    enter_team(conn, team_id)
    assert accounts.ensure_admin(conn, team_id) == admin
    return team_id


def test_a_platform_admin_makes_changes_and_lists_teams(app: Session) -> None:
    def story(conn: Session) -> None:
        admin = admin_of(conn)
        team_id = teams.create(conn, admin, "marketing", "Marketing", 40, Decimal(2))
        teams.change(conn, admin, team_id, None, None, Decimal("0.5"))
        found = {row.name: row for row in teams.live(conn, admin)}
        assert sorted(found) == ["default", "marketing"]
        row = found["marketing"]
        assert (row.title, row.slots, row.weight) == (None, None, Decimal("0.5"))
        enter_team(conn, team_id)
        assert teams.one(conn, team_id) == row
        assert teams.named(conn, "marketing") == team_id

    transact(app, story)
    with pytest.raises(Conflict, match="already exists"):
        transact(app, make, "marketing")


@pytest.mark.parametrize("weight", ["0", "-1", "NaN", "Infinity"])
def test_a_weight_is_a_positive_number(app: Session, weight: str) -> None:
    def ask(conn: Session) -> None:
        teams.create(conn, admin_of(conn), "marketing", None, None, Decimal(weight))

    with pytest.raises(errors.CheckViolation):
        transact(app, ask)


def test_an_admin_of_a_team_is_no_platform_admin(app: Session) -> None:
    def ask(conn: Session) -> None:
        enter_team(conn, 1)
        accounts.create_user(conn, 1, "ann", None, None, Role.ADMIN, "headway up")
        ann = people.require(conn, "ann")
        people.make_platform_admin(conn, ann)
        (standing,) = people.standing(conn, ann)
        assert not standing.is_platform_admin
        teams.live(conn, ann)

    with pytest.raises(errors.InsufficientPrivilege, match="platform admin"):
        transact(app, ask)


def test_the_application_cannot_make_one_by_itself(app: Session) -> None:
    for statement in (
        "UPDATE person SET is_platform_admin = true",
        "INSERT INTO person (team_id, name, display_name, created_by, is_platform_admin)"
        " VALUES (1, 'eve', 'Eve', 'eve', true)",
        "INSERT INTO team (name) VALUES ('eve')",
        "UPDATE team SET slots = 1000",
        "DELETE FROM team",
    ):

        def ask(conn: Session, statement: str = statement) -> None:
            enter_team(conn, 1)
            conn.execute(statement)

        with pytest.raises(errors.InsufficientPrivilege):
            transact(app, ask)


def test_nothing_opens_a_deleted_team_or_the_next_one_of_its_name(
    database: str, app: Session
) -> None:
    def good(agent: str) -> bool:
        with connect(database, role=ENGINE) as conn:
            hashed = accounts.fingerprint(agent)
            return api_tokens.identify_agent(conn, hashed, clock.now()) is not None

    def begin(conn: Session) -> tuple[int, str, str]:
        team_id = make(conn, "marketing")
        accounts.create_user(conn, team_id, "ann", None, None, Role.ADMIN, "test")
        accounts.create_user(conn, team_id, "bob", None, None, Role.ADMIN, "test")
        ann = people.require(conn, "ann")
        _, token = accounts.create_token(conn, team_id, ann, "t", Role.ADMIN, 1)
        _, agent = accounts.create_token(conn, team_id, ann, "a", Role.VIEWER, 1, "agent")
        return team_id, token, agent

    def end(conn: Session) -> None:
        ann, bob = (people.anywhere(conn, name) for name in ("ann", "bob"))
        assert ann is not None
        assert bob is not None
        enter_team(conn, 1)
        accounts.add_member(conn, 1, "bob", Role.VIEWER, "test")
        admin = admin_of(conn)
        teams.delete(conn, admin, team_id)
        again = make(conn, "marketing")
        assert again != team_id
        hashed = accounts.fingerprint(token)
        assert conn.execute("SELECT * FROM identify_token(%s)", [hashed]).fetchone() is None
        assert people.standing(conn, ann) == []
        assert people.anywhere(conn, "ann") is None
        assert [each.team for each in people.standing(conn, admin)] == ["default", "marketing"]
        assert [(each.home_team_id, each.team) for each in people.standing(conn, bob)] == [
            (1, "default")
        ]
        with pytest.raises(NotFound):
            teams.one(conn, team_id)

    team_id, token, agent = transact(app, begin)
    assert good(agent)
    transact(app, end)
    assert not good(agent)


def test_the_team_of_a_platform_admin_stays(app: Session) -> None:
    def ask(conn: Session) -> None:
        teams.delete(conn, admin_of(conn), 1)

    with pytest.raises(Conflict, match="manages a platform admin"):
        transact(app, ask)
