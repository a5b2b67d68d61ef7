"""Connections of API servers to a lent database: they stay, and what they have planned, for the next test."""

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256

from headway.api.door import CONNECTIONS, Connections
from headway.api.principal import Principal
from headway.store import api_login
from headway.store.api_login import ADMIT, ApiLogin
from headway.store.transact import APP, transact
from headway.up.serving import find_local_admin, local_admin
from tests.lending import LENT, Lent


class Kept(Connections):
    def __init__(self, login: ApiLogin) -> None:
        super().__init__(login)
        self.login = login

    def open(self) -> None:
        if self.pool.closed:
            super().open()
            self.pool.wait()

    def close(self) -> None:
        """Nothing: the next server has them open."""

    def end(self) -> None:
        super().close()

    def pids(self) -> list[int]:
        return [conn.info.backend_pid for conn in self.pool._pool]

    @property
    def are_idle(self) -> bool:
        """Whether all are back, and nobody waits for one."""
        return self.lanes.free == CONNECTIONS == len(self.pool._pool) and not self.lanes.waiting


@contextmanager
def connected(database: str, place: str) -> Iterator[tuple[ApiLogin, Connections, Principal]]:
    """What an API server needs of its database, and the local admin."""
    lent = LENT.get(database)
    if lent is None:
        login = api_login.embedded(database, place)
        yield login, Connections(login), local_admin(database, 1)
        return
    waiting = lent.pools.setdefault(place, [])
    kept = waiting.pop() if waiting else Kept(api_login.embedded(database, place))
    assert isinstance(kept, Kept)
    admit(kept.login, lent)
    with lent.session(APP) as conn:
        admin = transact(conn, find_local_admin, 1)
    try:
        yield kept.login, kept, admin
    finally:
        if kept.are_idle:
            waiting.append(kept)
        else:
            kept.end()


def admit(login: ApiLogin, lent: Lent) -> None:
    secret = {"place": login.place, "hash": sha256(login.secret.encode()).digest()}
    lent.keeper.execute(ADMIT, secret)
