"""The rules of a retry policy: what follows an attempt, by what ended it."""

import builtins
from collections.abc import Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, get_args

from headway.authoring.exceptions import lineage, name_of
from headway.authoring.frames import call_site, calling_module
from headway.authoring.options import Wrong, flag, seconds, text, whole
from headway.authoring.run import Fail, Skip
from headway.spec.errors import BadSpec
from headway.spec.model import RetryRule as Spec
from headway.spec.retries import flaw_of_rule

if TYPE_CHECKING:
    from headway.authoring.frames import Site

Cause = Literal["timeout", "oom"]
CAUSES: Final[tuple[str, ...]] = get_args(Cause)
ON: Final = 'an exception, its name such as "requests.exceptions.HTTPError", "timeout" or "oom", or a list of them'
CODES: Final = "an exit code such as 75, or a list of them"
OURS: Final = frozenset(
    f"{module}.{kind.__name__}" for module in ("headway", Fail.__module__) for kind in (Fail, Skip)
)
LOST: Final = (
    "an attempt that is lost with its agent or node is repeated by itself, and uses up no retry"
)


class RetryRule:
    """Decides what follows an attempt that ended with one of ``on`` or ``exit_code``. The first such rule decides.

    ``on``: exceptions, with what is derived from them, as classes or by the name that a traceback shows;
    ``"timeout"``: of ``execution_timeout``; ``"oom"``: out of memory. ``exit_code``: of a command, a container or the
    task's own process, 1 to 255; 128 more than its number after a signal. ``retries``: 0 fails the task at once;
    otherwise it is retried as long as it has not failed more often, whatever ended the attempts. What is left out is as
    the task's options say. ``reason``: shown to people. Raises BadSpec.
    """

    def __init__(
        self,
        on: type[BaseException] | str | Iterable[type[BaseException] | str] | None = None,
        *,
        exit_code: int | Iterable[int] | None = None,
        retries: int | None = None,
        retry_delay: timedelta | float | None = None,
        retry_exponential_backoff: bool | None = None,
        max_retry_delay: timedelta | float | None = None,
        reason: str = "",
    ) -> None:
        self.site, self.module = call_site(), calling_module()
        named = [self.read("on", each, self.cause) for each in several(on)]
        self.ancestors = {name: above for name, above in named if name not in CAUSES}
        self.spec = Spec(
            exceptions=tuple(self.ancestors),
            exit_codes=tuple(sorted({self.read("exit_code", c, code) for c in several(exit_code)})),
            causes=tuple(name for name in CAUSES if name in dict(named)),  # type: ignore[misc]
            retries=self.option("retries", retries, whole),
            retry_delay_s=self.option("retry_delay", retry_delay, seconds),
            retry_exponential_backoff=self.option(
                "retry_exponential_backoff", retry_exponential_backoff, flag
            ),
            max_retry_delay_s=self.option("max_retry_delay", max_retry_delay, seconds),
            reason=self.read("reason", reason, line),
        )
        if (found := flaw_of_rule(self.spec)) is not None:
            raise wrong(found[0], self.site, found[1])

    def option(self, word: str, value: object, reader: Any) -> Any:
        return None if value is None else self.read(word, value, reader)

    def read(self, word: str, value: object, reader: Any) -> Any:
        try:
            return reader(value)
        except Wrong as expected:
            told, _, hint = str(expected).partition("; ")
            said = f"{word} must be {told}, not {value!r}"
            raise wrong(said, self.site, hint or None) from None

    def cause(self, value: object) -> tuple[str, list[str]]:
        """Return a cause, or the name of a class with those that it is derived from, as far as known."""
        if isinstance(value, str):
            return of_name(value, self.module)
        if not isinstance(value, type) or not issubclass(value, BaseException):
            raise Wrong(ON)
        if issubclass(value, Fail | Skip):
            raise Wrong(f"{ON}; no rule is asked after {value.__name__}")
        return name_of(value), lineage(value)


def wrong(said: str, site: "Site", hint: str | None) -> BadSpec:
    return BadSpec(f"RetryRule: {said}", file=site.file, line=site.line, hint=hint)


def several(value: object) -> list[object]:
    if value is None:
        return []
    if isinstance(value, list | tuple | set | frozenset | range):
        return list(value)
    return [value]


def of_name(name: str, module: str) -> tuple[str, list[str]]:
    """``module``: that in which the rule stands, which defines what has no other module before its name."""
    known = getattr(builtins, name, None)
    if name in CAUSES:
        return name, [name]
    if isinstance(known, type) and issubclass(known, BaseException):
        return name_of(known), lineage(known)
    if name.lower() in CAUSES:
        raise Wrong(f'{ON}; did you mean "{name.lower()}"?')
    if name.lower() == "lost":
        raise Wrong(f"{ON}; {LOST}")
    plain = name.removeprefix("builtins.")
    if plain != name and hasattr(builtins, plain):
        return of_name(plain, module)
    if name in OURS:
        raise Wrong(f"{ON}; no rule is asked after {name}")
    found = name if "." in name or not name.isidentifier() else f"{module}.{name}"
    return found, [found]


def line(value: object) -> str:
    """Return a text in one line, as the sentence needs it that it becomes a part of."""
    return " ".join(text(value).split())


def code(value: object) -> int:
    try:
        return whole(value)
    except Wrong:
        raise Wrong(CODES) from None


def rules(value: object) -> tuple[RetryRule, ...]:
    """Return the rules of a task."""
    given = () if value is None else value if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(each, RetryRule) for each in given):
        raise Wrong(
            "a RetryRule or a list of them, such as [RetryRule(ConnectionError, retries=5)]"
        )
    return tuple(given)


def useless(
    policy: Iterable[RetryRule], timeout: bool
) -> Iterable[tuple[RetryRule, int, str, str]]:
    """Yield the rules that never decide, with their number, why, and the next step. ``timeout``: the task has one."""
    before: dict[str | int, int] = {}
    for number, rule in enumerate(policy, 1):
        names: list[tuple[str | int, list[Any]]] = [*rule.ancestors.items()]
        names += [(each, [each]) for each in (*rule.spec.exit_codes, *rule.spec.causes)]
        covered = [next((before[a] for a in above if a in before), 0) for _, above in names]
        if all(covered):
            yield rule, number, f"rule {covered[0]} comes first", "move it up, or remove it"
        elif rule.spec.causes == ("timeout",) and len(names) == 1 and not timeout:
            yield rule, number, "the task has no execution_timeout", "add execution_timeout"
        for name, _ in names:
            before.setdefault(name, number)
