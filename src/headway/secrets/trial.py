"""A question for a connection that somebody tests. Nothing proves it but who makes it."""

from headway.agent.protocol import Ask


class Trial(Ask, frozen=True, kw_only=True):
    """Made by the scheduler only. What agents send is decoded as ``Ask``, never as this."""

    team: str
    test_id: str
