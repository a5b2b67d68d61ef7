"""``@task`` and its kin: a function becomes something that makes tasks."""

from collections.abc import Callable, Iterable
from functools import update_wrapper
from typing import TYPE_CHECKING, Any, Final, Unpack, overload

from headway.authoring import context
from headway.authoring.calls import (
    add_task,
    check_axes,
    check_items,
    refuse_missing,
    refuse_unknown,
    wrong,
)
from headway.authoring.conditions import Condition
from headway.authoring.frames import Site, call_site
from headway.authoring.operators import OPERATORS, operator
from headway.authoring.operators.base import Operator
from headway.authoring.operators.sensor import Sensor, operator_of, taken
from headway.authoring.options import (
    TASK_OPTIONS,
    TEMPLATED,
    TaskOptions,
    read_options,
    unknown_word,
)
from headway.authoring.references import Callee, XComArg
from headway.authoring.signatures import signature_of
from headway.authoring.task import Arguments, Follows, Task
from headway.spec.errors import did_you_mean

if TYPE_CHECKING:
    from headway.authoring.operators.interpreter import Interpreter

Function = Callable[..., Any]
IGNORE_RULES: Final = "ignore_downstream_trigger_rules"
WORDS: Final = (
    *("branch", "external_python", "run_if", "sensor", "short_circuit", "skip_if"),
    "virtualenv",
)


class Kind:
    """The types of ``@task``, ``@task.bash``, ``@task.branch`` … for editors."""

    def __init__(self, word: str, operator: str, follows: Follows = Follows.ALL) -> None:
        self.word = word
        self.operator = operator
        self.follows = follows

    @overload
    def __call__(self, function: Function, /) -> "TaskFunction": ...
    @overload
    def __call__(
        self, function: None = None, /, **options: Unpack[TaskOptions]
    ) -> Callable[[Function], "TaskFunction"]: ...
    def __call__(
        self, function: Function | None = None, /, **given: object
    ) -> "TaskFunction | Callable[[Function], TaskFunction]":
        site = call_site()
        options: dict[str, Any] = dict(given)
        task_id = options.pop("task_id", None)
        follows = self.follows_of(options, site)
        # Read now, so that a mistake is reported at its own line, also if nobody calls the
        # function.
        read_options(options, TASK_OPTIONS, site, self.word, ("task_id",))
        kind = self if follows is self.follows else Kind(self.word, self.operator, follows)
        if function is not None:
            return kind.decorate(function, options, task_id, site)
        return lambda function: kind.decorate(function, options, task_id, site)

    def made(self) -> Operator:
        """Return the operator of its tasks."""
        return operator(self.operator)

    def follows_of(self, options: dict[str, Any], site: Site) -> Follows:
        """Take the one option out that only ``@task.short_circuit`` has."""
        if self.follows is not Follows.IF_TRUE or IGNORE_RULES not in options:
            return self.follows
        ignores = options.pop(IGNORE_RULES)
        if not isinstance(ignores, bool):
            raise wrong(f"{self.word}: {IGNORE_RULES} must be True or False, not {ignores!r}", site)
        return Follows.IF_TRUE if ignores else Follows.IF_TRUE_DIRECT

    def decorate(
        self, function: Function, options: dict[str, Any], task_id: str | None, site: Site
    ) -> "TaskFunction":
        if callable(function):
            refuse_unknown_names(function, options.get(TEMPLATED, ()), site)
            made = TaskFunction(self, function, options, task_id or function.__name__)
            if context.dags:
                context.dags[-1].functions.append(made)
            return made
        raise wrong(f"{self.word} decorates a function, not {function!r}", site)


def refuse_unknown_names(function: Function, templated: Iterable[object], site: Site) -> None:
    """Raise BadSpec for a name that the function does not have as an argument."""
    signature = signature_of(function)
    names = [name for name in templated if isinstance(name, str)]
    unknown = [] if signature.varkw else [n for n in names if n not in signature.parameters]
    if unknown:
        word = getattr(function, "__name__", "the function")
        raise wrong(
            f"templated names {unknown[0]!r}, which is not an argument of {word}",
            site,
            did_you_mean(unknown[0], signature.parameters),
        )


class SensorKind(Kind):
    """The type of ``@task.sensor``, whose looks have options of their own."""

    def __init__(self, sensor: Sensor | None = None) -> None:
        super().__init__("@task.sensor", "sensor")
        self.sensor = sensor or Sensor()

    @overload
    def __call__(self, function: Function, /) -> "TaskFunction": ...
    @overload
    def __call__(
        self, function: None = None, /, **options: object
    ) -> Callable[[Function], "TaskFunction"]: ...
    def __call__(
        self, function: Function | None = None, /, **given: object
    ) -> "TaskFunction | Callable[[Function], TaskFunction]":
        options: dict[str, Any] = dict(given)
        kind = SensorKind(taken(options, call_site()))
        if function is not None:
            return Kind.__call__(kind, function)
        return Kind.__call__(kind, **options)

    def made(self) -> Operator:
        return operator_of(self.sensor)


class InterpreterKind(Kind):
    """The type of ``@task.external_python`` and ``@task.virtualenv``, whose functions run in another interpreter."""

    def __init__(self, word: str, interpreter: "Interpreter | None" = None) -> None:
        super().__init__(f"@task.{word}", word)
        self.interpreter = interpreter

    @overload
    def __call__(self, function: Function, /) -> "TaskFunction": ...
    @overload
    def __call__(
        self, function: None = None, /, **options: object
    ) -> Callable[[Function], "TaskFunction"]: ...
    def __call__(
        self, function: Function | None = None, /, **given: object
    ) -> "TaskFunction | Callable[[Function], TaskFunction]":
        from headway.authoring.operators import interpreter  # few files have such a task

        options: dict[str, Any] = dict(given)
        taken = interpreter.taken(self.operator, options, call_site())
        kind = InterpreterKind(self.operator, taken)
        if function is not None:
            return Kind.__call__(kind, function)
        return Kind.__call__(kind, **options)

    def decorate(
        self, function: Function, options: dict[str, Any], task_id: str | None, site: Site
    ) -> "TaskFunction":
        from headway.authoring.operators.interpreter import refuse_unfit

        if callable(function):
            refuse_unfit(self.operator, function, site)
        return super().decorate(function, options, task_id, site)

    def made(self) -> Operator:
        from headway.authoring.operators.interpreter import operator_of

        assert self.interpreter is not None, "a decorated function has its options"
        return operator_of(self.operator, self.interpreter)


class TaskFunction(Callee):
    """A function under ``@task``.

    Calling it in a DAG makes a task; ``.function`` is the plain one.
    """

    def __init__(
        self,
        kind: Kind,
        function: Function,
        options: dict[str, Any],
        task_id: str,
        mark: Callable[[Task], None] | None = None,  # of a setup or teardown
    ) -> None:
        self.kind = kind
        self.function = function
        self.options = options
        self.task_id = task_id
        self.mark = mark
        self.name = getattr(function, "__name__", task_id)
        self.called = False
        self.conditions: tuple[Condition, ...] = ()
        update_wrapper(self, function)

    def __call__(self, *args: object, **kwargs: object) -> XComArg:
        signature = signature_of(self.function)
        given = refuse_unknown(f"{self.name}()", signature, args, kwargs)
        refuse_missing(f"{self.name}()", signature, given)
        return self.add(Arguments(args, kwargs))

    def __repr__(self) -> str:
        return f"<task function {self.name}>"

    def override(self, **options: Unpack[TaskOptions]) -> "TaskFunction":
        """The same task with other options."""
        self.called = True
        given: dict[str, Any] = dict(options)
        task_id = given.pop("task_id", self.task_id)
        read_options(given, TASK_OPTIONS, call_site(), f"{self.name}.override()", ("task_id",))
        made = TaskFunction(self.kind, self.function, {**self.options, **given}, task_id, self.mark)
        made.conditions = self.conditions
        return made

    def marked(self, mark: Callable[[Task], None]) -> "TaskFunction":
        """The same function, whose tasks are setups or teardowns."""
        self.mark = mark
        return self

    def partial(self, **kwargs: object) -> "Partial":
        """Arguments that are the same for all mapped instances."""
        return Partial(self, kwargs)

    def expand(self, **axes: object) -> XComArg:
        """One instance for each item; several arguments give their cross product."""
        return Partial(self, {}).expand(**axes)

    def expand_kwargs(self, items: object) -> XComArg:
        """One instance for each dict of arguments."""
        return Partial(self, {}).expand_kwargs(items)

    def add(self, arguments: Arguments) -> XComArg:
        self.called = True
        made = add_task(
            self.kind.made(),
            self.task_id,
            arguments,
            self.options,
            f"{self.name}()",
            self.function,
            self.kind.follows,
        )
        made.conditions = self.conditions
        if self.mark is not None:
            self.mark(made)
        return made.output


class Partial:
    """A task function with some of its arguments; ``expand`` gives the others."""

    def __init__(self, task: TaskFunction, kwargs: dict[str, object]) -> None:
        self.task = task
        self.kwargs = kwargs
        self.signature = signature_of(task.function)
        refuse_unknown(f"{task.name}.partial()", self.signature, (), kwargs)

    def expand(self, **axes: object) -> XComArg:
        check_axes(self.task.name, self.kwargs, axes)
        word = f"{self.task.name}.expand()"
        given = refuse_unknown(word, self.signature, (), [*self.kwargs, *axes])
        refuse_missing(word, self.signature, given)
        return self.task.add(Arguments(kwargs=self.kwargs, axes=axes))

    def expand_kwargs(self, items: object) -> XComArg:
        check_items(self.task.name, items)
        return self.task.add(Arguments(kwargs=self.kwargs, axes={"": items}))


def conditional(condition: Condition) -> Callable[[TaskFunction], TaskFunction]:
    word = f"@task.{condition.word}"
    if not callable(condition.function):
        raise wrong(f"{word} needs a function that says whether, not {condition.function!r}")

    def decorate(function: TaskFunction) -> TaskFunction:
        if not isinstance(function, TaskFunction):
            raise wrong(
                f"{word} decorates a task, not {function!r}",
                hint=f"write {word}(…) above @task, @task.bash, … of the function",
            )
        function.conditions = (*function.conditions, condition)
        return function

    return decorate


class TaskWord(Kind):
    """``@task``, ``@task.branch``, ``@task.short_circuit``, and ``@task.bash`` and its like."""

    branch = Kind("@task.branch", "python", Follows.NAMED)
    short_circuit = Kind("@task.short_circuit", "python", Follows.IF_TRUE)
    sensor = SensorKind()
    external_python = InterpreterKind("external_python")
    virtualenv = InterpreterKind("virtualenv")

    def run_if(
        self, condition: Function, skip_message: str | None = None
    ) -> Callable[[TaskFunction], TaskFunction]:
        """Skip the task unless the condition holds when it is to run: ``@task.run_if(…)`` above ``@task``."""
        return conditional(Condition("run_if", condition, skip_message))

    def skip_if(
        self, condition: Function, skip_message: str | None = None
    ) -> Callable[[TaskFunction], TaskFunction]:
        """Skip the task if the condition holds when it is to run."""
        return conditional(Condition("skip_if", condition, skip_message))

    def __getattr__(self, name: str) -> Kind:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in OPERATORS and operator(name).run_function is not None:
            return Kind(f"@task.{name}", name)
        raise unknown_word(name, call_site(), "@task", [*WORDS, *OPERATORS])


task = TaskWord("@task", "python")
