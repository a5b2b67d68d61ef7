"""The right of agents to be let in, as whose, and for how long: by their tokens, whatever they say of themselves."""

from collections.abc import Callable

from headway.agent.protocol import Hello
from headway.executors.agents.gateway import Gateway
from headway.executors.agents.link import Link
from headway.executors.agents.refusals import Refusals
from headway.executors.base import LEASE, Host
from headway.store import api_tokens, sessions
from headway.store.clock import clock
from headway.store.transact import read, transact


class Rights:
    """``data``: the directory on the agents' host. ``welcomed`` is told of who was let in."""

    def __init__(
        self,
        host: Host,
        gateway: Gateway,
        data: str | None,
        welcomed: Callable[[Link, Hello], None],
    ) -> None:
        self.conn = host.conn
        self.gateway = gateway
        self.data = data
        self.welcomed = welcomed
        self.refusals = Refusals(host)

    def let_in(self, link: Link, hello: Hello) -> None:
        """The team is that of the agent's token, whatever it says."""
        hashed = api_tokens.fingerprint(hello.token)
        now = read(self.conn, clock)
        known = transact(self.conn, api_tokens.identify_agent, hashed, now)
        if known is None:
            why = (
                "the agent's token is unknown, expired or revoked, or its owner is no longer an admin; "
                "to create one: headway token create NAME --agent"
            )
            self.refuse(link, hello, why)
            return
        team_id, token_id = known
        old = self.gateway.links.get(hello.session)
        if old is not None and old.team_id != team_id:
            why = "the session belongs to another team"
            self.gateway.refuse(link, why)
            self.refusals.note(hello, link.host, why, team_id)
            return
        alive = transact(
            self.conn,
            sessions.open_session,
            team_id,
            hello.session,
            hello.agent,
            hello.host,
            hello.pid,
            hello.slots,
            now,
            LEASE,
            self.data,
            token_id,
            hello.queues,
        )
        if not alive:
            self.gateway.refuse(link, "the session's lease has ended")
            return
        self.gateway.welcome(link, hello, team_id, token_id)
        self.welcomed(link, hello)

    def refuse(self, link: Link, hello: Hello, why: str, team_id: int | None = None) -> None:
        """Refuse who has no right to what they ask for, for good, and tell the audit of the team, if one is known."""
        self.gateway.refuse(link, why, again=False)
        self.refusals.note(hello, link.host, why, team_id)

    def part_from_void(self) -> None:
        """Disconnect agents whose token is no longer valid. What they ran is lost when their lease is over."""
        links = [link for link in self.gateway.links.values() if link.token_id]
        if not links:
            return
        tokens = {(link.team_id, link.token_id) for link in links}
        void = read(self.conn, api_tokens.void, tokens, read(self.conn, clock))
        for link in links:
            if (link.team_id, link.token_id) in void:
                self.gateway.refuse(link, "the agent's token is no longer valid", again=False)
