"""The tasks of a drawn DAG (``drawn``, ``drawn_richer``), and what they are drawn from."""

from dataclasses import dataclass, field
from typing import Final

RULES: Final = (
    *(
        "all_success",
        "all_success",
        "all_success",
        "all_done",
        "none_failed",
        "one_failed",
        "one_success",
    ),
    *(
        "none_failed_min_one_success",
        "none_skipped",
        "all_failed",
        "all_skipped",
        "one_done",
        "always",
    ),
    "all_done_min_one_success",
)
ENDS: Final = ("success", "success", "success", "success", "failed", "skipped", "flaky")
LENGTHS: Final = (0, 1, 2, 3)


@dataclass(eq=False)
class Step:
    """A task, or a mapped group of two. ``over``: the length that a mapped one has, or the step whose result it is."""

    name: str
    kind: str = "work"  # branch, gate, setup, teardown, mapped, grid, pair, trio
    rule: str = "all_success"
    end: str = "success"
    group: str = ""
    upstream: list["Step"] = field(default_factory=list)
    over: "int | Step | None" = None
    length: int = 0  # of the list that it returns
    chosen: list[str] = field(default_factory=list)
    ignores_rules: bool = True
    takes: list["Step"] = field(default_factory=list)  # whose results it is handed
    none: bool = False  # it returns None; where it is mapped, one of its instances does
    retries: int = 1
    block: bool = False  # it is in a ``with`` block
    after_block: bool = False  # … in which another one has ended
    decides: bool = False  # its failure fails the run, though it is a teardown

    @property
    def task_id(self) -> str:
        return f"{self.group}.{self.name}" if self.group else self.name
