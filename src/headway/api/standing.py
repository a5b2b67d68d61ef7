"""Trouble that lasts, in the log: one line when it begins and one when it is over, however often something is tried."""

import logging


class Standing:
    """``doing``: what works or does not, as "listen for changes"."""

    def __init__(self, logger: logging.Logger, doing: str) -> None:
        self.logger = logger
        self.doing = doing
        self.is_broken = False

    def failed(self, error: Exception) -> None:
        if not self.is_broken:
            self.logger.warning("cannot %s; retrying until it works: %s", self.doing, error)
        self.is_broken = True

    def worked(self) -> None:
        if self.is_broken:
            self.logger.warning("can %s again", self.doing)
        self.is_broken = False
