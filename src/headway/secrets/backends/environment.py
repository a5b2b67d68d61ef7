"""Variables in the environment of the scheduler: ``HEADWAY_CONN__<TEAM>__<ID>``, ``HEADWAY_VAR__<TEAM>__<KEY>``.

Only lower-case names without two underscores in a row are looked up: so no name of one team is another team's.
"""

import os
import re
from collections.abc import Mapping
from typing import Any, Final

from headway.secrets.backends.base import CONNECTION, Found, Question, Read, found
from headway.secrets.keys import Keys

PLAIN: Final = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*")


class Environment:
    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def get(self, question: Question) -> Found | None:
        if not (PLAIN.fullmatch(question.team) and PLAIN.fullmatch(question.name)):
            return None
        kind = "CONN" if question.kind == CONNECTION else "VAR"
        text = self.environment.get(
            f"HEADWAY_{kind}__{question.team.upper()}__{question.name.upper()}"
        )
        return None if text is None else found(question, text)


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Environment:
    return Environment(os.environ)
