"""The words that the server decides and the web interface shows: ``python -m headway.api.vocabulary``.

``make ui-types`` keeps them as TypeScript, so that nothing is listed twice.
"""

import json
import sys
from collections.abc import Mapping, Sequence

from headway.core.reasons import Wait
from headway.core.roles import BUILT_IN, WORDS, Verb
from headway.core.states import ATTEMPT_FINAL, FINAL, AttemptState, RunState, State
from headway.core.triggers import Trigger


def typescript() -> str:
    """A module of constants. ``STATES`` are those of instances and attempts, the most telling first."""
    instances = [state.value for state in State]
    others = [state.value for state in AttemptState if state.value not in instances]
    words = {state.value: state.word for state in State} | {state: state for state in others}
    final = [state for state in words if state in FINAL | ATTEMPT_FINAL]
    return "\n".join(
        (
            "/** Made from what the server knows: `make ui-types`. */",
            constant("INSTANCE_STATES", instances),
            constant("RUN_STATES", list(RunState)),
            constant("STATES", list(words)),
            constant("STATE_WORDS", words),
            constant("FINAL_STATES", final),
            constant("STATE_LETTERS", {state.value: state.letter for state in State}),
            constant("TRIGGERS", list(Trigger)),
            constant("WAITS", list(Wait)),
            constant("VERBS", list(Verb)),
            constant("VERB_WORDS", {verb: WORDS[verb] for verb in Verb}),
            constant("ROLES", {role: sorted(verbs) for role, verbs in BUILT_IN.items()}),
            "",
        )
    )


def constant(name: str, value: Sequence[str] | Mapping[str, object]) -> str:
    return f"export const {name} = {json.dumps(value)} as const;"


if __name__ == "__main__":
    sys.stdout.write(typescript())
