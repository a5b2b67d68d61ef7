"""Operators as DAG files call them: ``bash(task_id="count", command="wc -l {{ ds }}.csv")``."""

from headway.authoring.calls import (
    add_task,
    check_axes,
    check_items,
    refuse_missing,
    refuse_unknown,
    split_options,
    wrong,
)
from headway.authoring.operators import operator
from headway.authoring.operators.base import Operator
from headway.authoring.run import Fail
from headway.authoring.signatures import NO_DEFAULT, Parameter, Signature
from headway.authoring.task import Arguments, Follows, Task


class Word:
    def __init__(self, operator: Operator) -> None:
        self.operator = operator
        parameters = {
            name: Parameter(name, NO_DEFAULT if name in operator.required else None, None, False)
            for name in operator.parameters
        }
        self.signature = Signature(parameters, varargs=False, varkw=None)

    def __repr__(self) -> str:
        return f"<operator {self.operator.word}>"

    def __call__(self, task_id: str, **kwargs: object) -> Task:
        own, options = self.split(task_id, kwargs)
        refuse_missing(self.called(task_id), self.signature, set(own))
        return self.add(task_id, Arguments(kwargs=own), options)

    def called(self, task_id: str) -> str:
        return f'{self.operator.word}("{task_id}")'

    def partial(self, task_id: str, **kwargs: object) -> "PartialWord":
        """Set the arguments that are the same for all mapped instances."""
        return PartialWord(self, task_id, *self.split(task_id, kwargs))

    def split(
        self, task_id: str, kwargs: dict[str, object]
    ) -> tuple[dict[str, object], dict[str, object]]:
        """Return the arguments of the operator, and the options of the task. Raises BadSpec."""
        if self.operator.fold is not None:
            try:
                kwargs = self.operator.fold(kwargs)
            except Fail as error:
                raise wrong(f"{self.called(task_id)}: {error}") from None
        return split_options(kwargs, self.operator.parameters)

    def add(self, task_id: str, arguments: Arguments, options: dict[str, object]) -> Task:
        called = self.called(task_id)
        if self.operator.reads:
            arguments, options = reading(self.operator.reads, called, arguments, options)
        return add_task(
            self.operator,
            task_id,
            arguments,
            options,
            called,
            follows=self.follows(called, arguments),
        )

    def follows(self, called: str, arguments: Arguments) -> Follows:
        if self.operator.follows is None:
            return Follows.ALL
        try:
            return self.operator.follows(arguments.kwargs)
        except Fail as error:
            raise wrong(f"{called}: {error}") from None


def reading(
    name: str, called: str, arguments: Arguments, options: dict[str, object]
) -> tuple[Arguments, dict[str, object]]:
    """Let the asset of an argument be an inlet of the task, and the argument its name. Raises BadSpec."""
    from headway.authoring.assets import Asset  # few tasks have any

    if name in arguments.axes or "" in arguments.axes:
        raise wrong(
            f"{called}: {name} cannot be mapped over",
            hint="write a task for each asset; the partition can be mapped over",
        )
    given = arguments.kwargs[name]
    if not isinstance(given, (Asset, str)):
        raise wrong(
            f"{called}: {name} must be an Asset or its name, not {given!r}",
            hint=f"for instance {name}=Asset('orders')",
        )
    asset = given if isinstance(given, Asset) else Asset(given)
    inlets = options.get("inlets")
    more = inlets if isinstance(inlets, (list, tuple)) else [] if inlets is None else [inlets]
    kwargs = {**arguments.kwargs, name: asset.name}
    return arguments._replace(kwargs=kwargs), {**options, "inlets": [*more, asset]}


class PartialWord:
    def __init__(
        self, word: Word, task_id: str, own: dict[str, object], options: dict[str, object]
    ) -> None:
        self.word = word
        self.task_id = task_id
        self.own = own
        self.options = options

    def expand(self, **axes: object) -> Task:
        name = self.word.called(self.task_id)
        check_axes(name, self.own, axes)
        signature = self.word.signature
        given = refuse_unknown(f"{name}.expand()", signature, (), [*self.own, *axes])
        refuse_missing(f"{name}.expand()", signature, given)
        return self.word.add(self.task_id, Arguments(kwargs=self.own, axes=axes), self.options)

    def expand_kwargs(self, items: object) -> Task:
        check_items(self.word.called(self.task_id), items)
        arguments = Arguments(kwargs=self.own, axes={"": items})
        return self.word.add(self.task_id, arguments, self.options)


def word(name: str) -> Word:
    return Word(operator(name))
