"""Tests of connections: taken from the database, tried by an agent of the team, told to the person who waits."""

from collections.abc import Iterable
from functools import partial
from itertools import count
from typing import Any

from psycopg import Connection

from headway.agent.protocol import Answer, Ask, AttemptKey, ByAttempt, Probe, Probed
from headway.executors.agents.asks import Asks
from headway.executors.agents.gateway import Gateway
from headway.executors.agents.link import Link
from headway.secrets.backends.base import CONNECTION
from headway.secrets.trial import Trial
from headway.spec.carried import flaw_of_text
from headway.store import connection_tests
from headway.store.clock import clock
from headway.store.transact import read, transact

MESSAGE_CHARS_MAX = 500
OF_NOBODY = ByAttempt(AttemptKey("", "", -1, 0), "")


class Trials:
    def __init__(self, conn: Connection[Any], gateway: Gateway, asks: Asks[Ask, Answer]) -> None:
        self.conn = conn
        self.gateway = gateway
        self.asks = asks
        self.requests = count(1)
        self.sent: dict[int, tuple[Link, Trial]] = {}

    def begin(self) -> None:
        """Take the tests of teams whose agents are connected here, and ask for their connections."""
        # A pod has no token: it ends with its attempt, and tries nothing else.
        links = {link.team_id: link for link in self.gateway.links.values() if link.token_id}
        self.forget_gone(self.gateway.links.values())
        if not links:
            return
        now = read(self.conn, clock)
        for test in transact(self.conn, connection_tests.claim, links, now):
            trial = Trial(
                request=next(self.requests),
                by=OF_NOBODY,
                kind=CONNECTION,
                name=test.conn_id,
                team=test.team,
                test_id=test.test_id,
            )
            link = links[test.team_id]
            if (refusal := self.asks.take(link, trial)) is not None:
                self.opened(link, trial, refusal)

    def forget_gone(self, links: Iterable[Link]) -> None:
        known = set(map(id, links))
        self.sent = {n: one for n, one in self.sent.items() if id(one[0]) in known}

    def opened(self, link: Link, trial: Trial, answer: Answer) -> None:
        """Hand the connection to the agent, if there is one and the agent is still there."""
        if answer.refused:
            self.finish(link, trial, False, answer.refused)
        elif answer.value is None:
            self.finish(link, trial, False, "no secret backend has this connection")
        elif link.sock.fileno() < 0:
            self.finish(link, trial, False, "the agent disconnected; try again")
        else:
            self.sent[trial.request] = link, trial
            self.gateway.send(link, Probe(trial.request, answer.value, answer.secrets))

    def ended(self, link: Link, probed: Probed) -> None:
        """Take the result of a test that this very agent was given."""
        asked, trial = self.sent.pop(probed.request, (None, None))
        if asked is link and trial is not None:
            self.finish(link, trial, probed.ok, probed.message)

    def finish(self, link: Link, trial: Trial, ok: bool, message: str) -> None:
        told = message[:MESSAGE_CHARS_MAX]
        if flaw_of_text(told) is not None:  # of a team's process: it may be anything
            ok, told = False, "the agent gave a result that cannot be shown"
        transact(
            self.conn,
            partial(connection_tests.finish, ok=ok, message=told),
            link.team_id,
            trial.test_id,
        )
