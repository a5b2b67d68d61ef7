"""Scripted failures of the API server: what the next requests of a kind meet."""

import re
import threading
from dataclasses import dataclass
from typing import Literal

from tests.kubernetes.fake.status import Refused


@dataclass(slots=True)
class Fault:
    """``how``: refuse at once; act and give no answer; or give none without acting."""

    method: str
    path: re.Pattern[str]
    times: int
    how: Literal["refuse", "act, then hang", "hang"] = "refuse"
    refusal: Refused | None = None


class Faults:
    def __init__(self) -> None:
        self.script: list[Fault] = []
        self.lock = threading.Lock()
        self.met: list[str] = []

    def refuse(
        self,
        method: str,
        path: str,
        code: int,
        message: str = "scripted",
        *,
        reason: str = "",
        times: int = 1,
        retry_after_s: int | None = None,
    ) -> None:
        refusal = Refused(code, reason, message, retry_after_s)
        with self.lock:
            self.script.append(Fault(method, re.compile(path), times, "refuse", refusal))

    def hang(self, method: str, path: str, *, acts: bool, times: int = 1) -> None:
        """Let requests time out: their clients do not know whether they acted."""
        how: Literal["act, then hang", "hang"] = "act, then hang" if acts else "hang"
        with self.lock:
            self.script.append(Fault(method, re.compile(path), times, how))

    def clear(self) -> None:
        with self.lock:
            self.script.clear()

    def meet(self, method: str, path: str) -> Fault | None:
        with self.lock:
            for fault in self.script:
                if fault.times > 0 and fault.method == method and fault.path.search(path):
                    fault.times -= 1
                    self.met.append(f"{method} {path} {fault.how}")
                    return fault
        return None
