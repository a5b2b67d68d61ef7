"""The parts of the documents that are made from the code: ``python docs/generate.py [--check]``.

``docs/states.md`` is made whole, from the transition tables. In other documents the text between
``<!-- name -->`` and ``<!-- /name -->`` is made, where ``name`` is one of ``BLOCKS``.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

from headway.core.states import (
    ATTEMPT_FINAL,
    ATTEMPT_TRANSITIONS,
    FINAL,
    RUN_FINAL,
    RUN_TRANSITIONS,
    TRANSITIONS,
    Event,
    RunEvent,
    State,
)
from headway.core.upstream import Counts, TriggerRule, judge

DOCS: Final = Path(__file__).parent
STATES: Final = DOCS / "states.md"

# Legal from nearly everywhere: as arrows they would hide the others.
BY_PEOPLE: Final = (Event.CANCEL, Event.CLEAR, Event.MARK_SUCCESS, Event.MARK_FAILED)

STANDINGS: Final[Mapping[str, Counts]] = {
    "all succeeded": Counts(total=3, success=3),
    "one failed, the others succeeded": Counts(total=3, success=2, failed=1),
    "one skipped, the others succeeded": Counts(total=3, success=2, skipped=1),
    "all skipped": Counts(total=3, skipped=3),
    "all failed": Counts(total=3, failed=3),
    "one succeeded, the others still run": Counts(total=3, success=1),
}


def diagram(arrows: Iterable[tuple[str, str, str]], first: str, final: Iterable[str]) -> str:
    lines = ["```mermaid", "stateDiagram-v2", f"    [*] --> {first}"]
    lines += [f"    {source} --> {target}: {name}" for source, name, target in arrows]
    lines += [f"    {state} --> [*]" for state in sorted(final)]
    return "\n".join([*lines, "```"])


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)


def task_instances() -> str:
    arrows = [(s, e, t) for (s, e), t in TRANSITIONS.items() if e not in BY_PEOPLE]
    rows = [
        (f"`{event}`", "any other" if len(sources) > len(FINAL) + 2 else listed(sources), goal)
        for event, sources, goal in (
            (event, [s for s, by in TRANSITIONS if by is event], target_of(event))
            for event in BY_PEOPLE
        )
    ]
    return f"{diagram(arrows, State.WAITING, FINAL)}\n\n{table(('event', 'from', 'to'), rows)}"


def listed(states: Iterable[State]) -> str:
    return ", ".join(f"`{state}`" for state in State if state in set(states))


def target_of(event: Event) -> str:
    (found,) = {target for (_, by), target in TRANSITIONS.items() if by is event}
    return f"`{found}`"


def runs() -> str:
    arrows = [(s, e, t) for (s, e), t in RUN_TRANSITIONS.items() if e is not RunEvent.REOPEN]
    reopen = next(t for (_, e), t in RUN_TRANSITIONS.items() if e is RunEvent.REOPEN)
    note = f"`reopen`, after a clear: from every final state to `{reopen}`."
    return f"{diagram(arrows, 'queued', RUN_FINAL)}\n\n{note}"


def attempts() -> str:
    arrows = [(s, e, t) for (s, e), t in ATTEMPT_TRANSITIONS.items()]
    return diagram(arrows, "queued", ATTEMPT_FINAL)


def states() -> str:
    return f"""# States

Made from `src/headway/core/states.py` by `python docs/generate.py`; `make lint` compares.

## Task instance

{task_instances()}

On a live attempt (`queued`, `running`) a person's word is kept as an intent, and the attempt is
ended first. `cancel` also comes from `dagrun_timeout`.

## Run

{runs()}

## Attempt

{attempts()}
"""


def trigger_rules() -> str:
    rows = [
        (f"`{rule}`", *(str(judge(rule, counts)) for counts in STANDINGS.values()))
        for rule in TriggerRule
    ]
    return table(("rule", *STANDINGS), rows)


BLOCKS: Final[Mapping[str, Callable[[], str]]] = {"trigger-rules": trigger_rules}


def documents() -> dict[Path, str]:
    """Each document as it should be."""
    wanted = {STATES: states()}
    for file in sorted(DOCS.glob("*.md")):
        text = wanted.get(file) or file.read_text(encoding="utf-8")
        for name, make in BLOCKS.items():
            block = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
            text = block.sub(rf"\g<1>{make()}\n\g<2>", text)
        wanted[file] = text
    return wanted


def main() -> int:
    stale = [
        file
        for file, text in documents().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    if "--check" not in sys.argv[1:]:
        for file in stale:
            file.write_text(documents()[file], encoding="utf-8")
        return 0
    for file in stale:
        sys.stderr.write(f"{file.name} is not what the code says: python docs/generate.py\n")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
