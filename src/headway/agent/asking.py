"""Questions of a task for a connection or variable: one at a time on its private socket, answered by the agent."""

import os
from _thread import allocate_lock
from collections.abc import Callable
from typing import Any

from headway.agent import results
from headway.agent.orders import TOLD, Ask
from headway.authoring.secrets import SecretRefused

one_at_a_time = allocate_lock()
# A question without its answer: what comes next on the socket is not an order, so the process takes no other one.
unanswered = False


def asker(
    send: Callable[[Any], None], receive: Callable[[], bytes | None]
) -> Callable[[str, str], str | None]:
    pid = os.getpid()

    def ask(kind: str, name: str) -> str | None:
        global unanswered
        if os.getpid() != pid:
            raise SecretRefused(
                "only the task's own process can ask for connections and variables; "
                "ask there, and pass what is needed to the processes that it starts"
            )
        with one_at_a_time:
            if unanswered:
                raise SecretRefused("the task was interrupted while it waited for a secret")
            unanswered = True
            send(Ask(kind, name))
            body = receive()
            if body is None:
                raise SecretRefused("the agent has ended")
            told = TOLD.decode(body)
            unanswered = False
        results.handed.update(told.secrets)
        if told.refused:
            raise SecretRefused(told.refused)
        return told.value

    return ask
