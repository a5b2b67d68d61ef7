"""Resources whose amounts are parameters of the run: ``{"memory": "{{ params.memory }}"}``. Pure.

Nothing else of a template is read here: amounts are filled in by the scheduler, which runs nothing of an author.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from headway.core.quantities import amount

PARAM: Final = re.compile(r"""\{\{\s*params(?:\.([^\W\d]\w*)|\[(["'])([^\W\d]\w*)\2\])\s*\}\}""")


def param_of(text: str) -> str | None:
    """Return the name of the parameter that gives an amount, or None if it is an amount itself."""
    found = PARAM.fullmatch(text.strip())
    return None if found is None else found[1] or found[3]


def flaw_of_amount(name: str, value: object) -> str | None:
    """Return why a value is not an amount of a resource, or None."""
    if (
        isinstance(value, bool)
        or not isinstance(value, (str, int, float))
        or not amount(str(value))
    ):
        return f"{name} is {str(value)[:100]!a}, it must be an amount above 0"
    return None


def filled_in(resources: Mapping[str, str], params: Mapping[str, Any]) -> dict[str, str]:
    """Return the amounts with those that parameters give; one that the run does not have stays a template."""
    found = {}
    for name, text in resources.items():
        param = param_of(text)
        found[name] = text if param is None or param not in params else str(params[param])
    return found
