"""The log bytes of an agent: counted by the minute, and limited to its part of the team's limit."""

from typing import Final

from headway import clock

MINUTE_S: Final = 60.0


class LogBudget:
    """The bytes of the logs of all attempts of one agent. ``limit``: a minute; None: without a limit."""

    def __init__(self) -> None:
        self.limit: int | None = None
        self.minute = 0  # by the monotonic clock
        self.spent = 0
        self.before = 0  # spent in the minute before

    def take(self, size: int) -> bool:
        """Return whether output of ``size`` bytes may be written, which is then counted. The last one may go beyond."""
        self.turn()
        if self.limit is not None and self.spent >= self.limit:
            return False
        self.spent += size
        return True

    def spend(self, size: int) -> None:
        """Count what is written in any case."""
        self.turn()
        self.spent += size

    def used(self) -> int:
        """Return about how many bytes were taken in the last 60 s."""
        self.turn()
        passed = clock.monotonic() / MINUTE_S % 1
        return self.spent + int(self.before * (1 - passed))

    def turn(self) -> None:
        minute = int(clock.monotonic() // MINUTE_S)
        if minute != self.minute:
            self.before = self.spent if minute == self.minute + 1 else 0
            self.minute, self.spent = minute, 0
