"""The one way in which a test of a connection fails."""

from typing import Final

TIMEOUT_S: Final = 5.0  # of one step, such as to connect


class Failed(Exception):
    """The message is one sentence for people."""
