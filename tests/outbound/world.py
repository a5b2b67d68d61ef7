"""Teams with outbound webhooks, and the sender as its own process would run it: nothing here waits for time to pass."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

from psycopg import Connection

from headway import wire
from headway.actions import outbound as actions
from headway.core.outbound import networks
from headway.outbound.follow import follower
from headway.outbound.post import post
from headway.outbound.sender import Sender
from headway.secrets.keys import Keys
from headway.store import outbound
from headway.store.transact import Session, enter_team, transact
from tests.scenarios.world import Scheduler, succeed, trigger

LOCAL = networks("127.0.0.0/8")
SITE = "https://headway.example.com"


class World:
    def __init__(self, conn: Session, app: Session, keys: Keys) -> None:
        self.conn = conn
        self.app = app
        self.keys = keys
        self.follow()

    def follow(self) -> None:
        while follower().turn(self.conn):
            pass

    def entered(self, work: Any, *args: Any, team_id: int = 1) -> Any:
        """Do as a person of the team would."""

        def entered(conn: Connection[Any]) -> Any:
            enter_team(conn, team_id)
            return work(conn, *args)

        return transact(self.app, entered)

    def create(
        self, url: str, name: str = "hook", team_id: int = 1, **wanted: Any
    ) -> wire.NewOutboundWebhook:
        request = wire.OutboundWebhookRequest(name=name, url=url, **wanted)
        made: wire.NewOutboundWebhook = self.entered(
            actions.create, self.keys, team_id, request, "user:ann", SITE, team_id=team_id
        )
        return made

    def change(self, name: str = "hook", **wanted: Any) -> wire.OutboundWebhook:
        request = wire.OutboundWebhookChange(**wanted)
        changed: wire.OutboundWebhook = self.entered(
            actions.change, self.keys, 1, name, request, SITE
        )
        return changed

    def end(self, dag_id: str = "d", team_id: int = 1, how: Any = succeed, **wanted: Any) -> str:
        """Bring a run to its end. Returns its id."""
        (run_id,) = trigger(self.conn, dag_id, team_id=team_id, **wanted)
        Scheduler(self.conn, team_id=team_id).play(how)
        return run_id

    def sender(self) -> Sender:
        return Sender(self.conn, self.keys, partial(post, allowed=LOCAL))

    def send(self, sender: Sender | None = None) -> None:
        """Let a sender do all that is due, and note what came of it."""
        asyncio.run(self.all_due(sender or self.sender()))

    async def all_due(self, sender: Sender) -> None:
        with ThreadPoolExecutor(1) as database:
            while True:
                await sender.turn(database)
                if not sender.tasks and not sender.answered:
                    return
                if sender.tasks:
                    await asyncio.wait(sender.tasks, return_when=asyncio.FIRST_COMPLETED)

    def later(self) -> None:
        """Time passes: every wait and every lease is over."""
        self.conn.execute(
            "UPDATE outbound_delivery SET next_at = statement_timestamp() WHERE next_at IS NOT NULL"
        )

    def deliveries(self, name: str = "hook", team_id: int = 1) -> list[wire.OutboundDelivery]:
        """Return them, the oldest first."""
        page = self.entered(outbound.deliveries, name, 500, None, team_id=team_id)
        return list(reversed(page.items))

    def outcomes(self, name: str = "hook", team_id: int = 1) -> list[tuple[str, int, int | None]]:
        found = self.deliveries(name, team_id)
        return [(each.status, each.tries, each.code) for each in found]
