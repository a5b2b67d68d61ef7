"""The rules of a retry policy: what is wrong with one."""

import math
from collections.abc import Iterator
from typing import Final

from headway.spec.carried import SECONDS_MAX, flaw_of_text
from headway.spec.model import RetryRule, Task

Trouble = tuple[str, str | None]  # what is wrong, and the next step

RULES_MAX: Final = 50
NAMES_MAX: Final = 50  # of classes in one rule
CLASS_MAX: Final = 200  # characters of the name of a class
REASON_MAX: Final = 500
RETRIES_MAX: Final = 10_000  # that a rule may allow
CODES: Final = range(1, 256)
NAMES_NOTHING: Final = (
    "it names no exception, exit code or cause",
    "retries and retry_delay of the task are for all ends that no rule names",
)


def flaw_of_rules(task: Task) -> Trouble | None:
    if len(task.retry_policy) > RULES_MAX:
        return (
            f"its retry policy has {len(task.retry_policy)} rules; the limit is {RULES_MAX}",
            None,
        )
    for number, rule in enumerate(task.retry_policy, 1):
        if (found := flaw_of_rule(rule)) is not None:
            return f"retry rule {number}: {found[0]}", found[1]
    return None


def flaw_of_rule(rule: RetryRule) -> Trouble | None:
    return next(flaws(rule), None)


def flaws(rule: RetryRule) -> Iterator[Trouble]:
    if not (rule.exceptions or rule.exit_codes or rule.causes):
        yield NAMES_NOTHING
    if len(rule.exceptions) > NAMES_MAX:
        yield f"it names {len(rule.exceptions)} exceptions; the limit is {NAMES_MAX}", None
    for name in rule.exceptions:
        if not all(part.isidentifier() or part == "<locals>" for part in name.split(".")):
            yield f"{name[:40]!a} is not the name of an exception", EXAMPLE
        if len(name) > CLASS_MAX:
            yield (
                f"the name of an exception has {len(name)} characters; the limit is {CLASS_MAX}",
                None,
            )
    for code in rule.exit_codes:
        if code not in CODES:
            yield flaw_of_code(code)
    if rule.retries is not None and not 0 <= rule.retries <= RETRIES_MAX:
        yield f"retries is {rule.retries}, it must be between 0 and {RETRIES_MAX:,}", None
    times = {"retry_delay": rule.retry_delay_s, "max_retry_delay": rule.max_retry_delay_s}
    for word, value in times.items():
        if value is not None and not (math.isfinite(value) and 0 <= value <= SECONDS_MAX):
            yield f"{word} is {value:g}, it must be at least 0 and at most {SECONDS_MAX:g}", None
    if rule.retries == 0 and (rule.retry_delay_s or rule.retry_exponential_backoff):
        yield "it has retries=0 and a delay", "remove the delay: the task fails at once"
    if len(rule.reason) > REASON_MAX:
        yield f"its reason has {len(rule.reason)} characters; the limit is {REASON_MAX}", None
    if (flaw := flaw_of_text(rule.reason)) is not None:
        yield f"its reason {flaw}", None


EXAMPLE: Final = (
    'write it with its module, as a traceback shows it: "requests.exceptions.HTTPError"'
)


def flaw_of_code(code: int) -> Trouble:
    if code == 0:
        return "the exit code 0 is that of a success", "name codes from 1 to 255"
    if -64 <= code < 0:
        return (
            f"{code} is not an exit code",
            f"a process that a signal ended has the exit code {128 - code}",
        )
    return f"{code} is not an exit code", "exit codes are numbers from 1 to 255"
