"""The absence of a schedule: a run begins when somebody asks for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from headway.core.reasons import NoSchedule, Reason
from headway.core.schedules.base import Schedule


@dataclass(frozen=True, slots=True)
class OnDemand(Schedule):
    """A schedule without fires: what the absence of a schedule means. It has no word of its own in a spec."""

    word: ClassVar[str] = ""
    schema: ClassVar[Mapping[str, object]] = {"type": "null"}
    form: ClassVar[str] = "None"
    recurs: ClassVar[bool] = False
    idle: ClassVar[Reason | None] = NoSchedule()

    @classmethod
    def keep(cls, given: object) -> None:
        return None

    @classmethod
    def read(cls, value: object, zone: str, anchor: datetime | None) -> "OnDemand":
        return cls()

    def following(self, after: datetime) -> datetime | None:
        return None

    def preceding(self, before: datetime) -> datetime | None:
        return None

    def words(self) -> str:
        return "on demand"
