"""What SQL knows of states is what ``core/states`` says: no set of them is spelled out twice."""

import ast
import re
from collections.abc import Iterator
from enum import StrEnum
from typing import LiteralString

from headway.core.grants import GrantKind, GrantState
from headway.core.states import (
    ATTEMPT_LIVE,
    ATTEMPT_OPEN,
    FINAL,
    LIVE,
    RUN_FINAL,
    AttemptState,
    RunState,
    State,
)
from headway.core.triggers import Trigger
from headway.store.states import listed
from headway.store.transact import Session
from tests.tidy.tree import ROOT

STORE = ROOT / "src" / "headway" / "store"
KNOWN = {*State, *RunState, *AttemptState, *Trigger, *GrantState}

# The sets that the tables' rules list, by table and name of the rule.
RULES: list[tuple[str, str, set[StrEnum]]] = [
    ("task_instance", "known_state", set(State)),
    ("task_instance", "ended_iff_final", set(FINAL)),
    ("task_instance", "only_live_has_intent", set(LIVE)),
    ("task_instance", "a_slot_has_an_attempt", set(LIVE)),
    ("run", "known_run_state", set(RunState)),
    ("run", "ended_iff_final", set(RUN_FINAL)),
    ("run", "run_trigger_check", set(Trigger)),
    ("attempt", "known_attempt_state", set(AttemptState)),
    ("attempt", "ended_iff_final", set(ATTEMPT_OPEN)),
    ("attempt", "live_iff_token", set(ATTEMPT_LIVE)),
    ("team_grant", "known_grant_state", set(GrantState)),
    ("team_grant", "known_kind", set(GrantKind)),
]
RULE: LiteralString = """
    SELECT pg_get_constraintdef(oid) FROM pg_constraint
    WHERE conrelid = %(table)s::regclass AND conname = %(name)s
"""


def texts() -> Iterator[tuple[str, str]]:
    """Every text in the store's modules, with the place where it is."""
    for file in sorted(STORE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield f"{file.relative_to(ROOT)}:{node.lineno}", node.value


def test_no_statement_lists_states_itself() -> None:
    found = [place for place, text in texts() if re.search(r"\bstate (NOT )?IN \(\s*'", text)]
    assert not found, "take the set from headway.store.states"


def test_every_state_that_a_statement_names_is_one() -> None:
    named = {
        (place, state)
        for place, text in texts()
        for state in re.findall(r"\b(?:state|trigger) (?:=|<>) '(\w+)'", text)
    }
    assert len(named) > 20, "the statements are not found any more"
    assert not {(place, state) for place, state in named if state not in KNOWN}


def test_the_rules_of_the_tables_list_the_same_states(conn: Session) -> None:
    for table, name, states in RULES:
        (rule,) = conn.execute(RULE, {"table": table, "name": name}).fetchall()
        assert set(re.findall(r"'(\w+)'::text", rule[0])) == states, name


def test_a_list_is_written_as_sql_reads_it() -> None:
    assert listed(LIVE) == "('queued', 'running')"
