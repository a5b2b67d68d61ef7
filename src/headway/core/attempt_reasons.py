"""Why a task instance is retried or has failed, by what its attempts did (``core.reasons``)."""

from headway.core.holding import Facts
from headway.core.reason_kinds import Kind
from headway.core.retry import Ruled

K = Kind


class AttemptFailed(Facts, frozen=True, tag=K.ATTEMPT_FAILED.value):
    """``cause``: as of the attempt; ``detail``: what it said. ``by``: what decided on its retry, if not the task's own
    number of them: it is retry ``failures`` of ``retries``.
    """

    cause: str
    detail: str = ""
    failures: int = 0
    retries: int | None = None
    by: Ruled | None = None


class GivenUp(Facts, frozen=True, tag=K.GIVEN_UP.value):
    """The last of its ``failures`` used up the ``retries``, which are those that ``by`` allows."""

    cause: str
    detail: str
    failures: int
    retries: int
    by: Ruled | None = None


class LostTooOften(Facts, frozen=True, tag=K.LOST_TOO_OFTEN.value):
    cause: str
    detail: str
    losses: int


class RetryOver(Facts, frozen=True, tag=K.RETRY_OVER.value):
    """The delay before a retry."""
