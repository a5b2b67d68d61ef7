"""The base of operators: a word in DAG files, arguments, and the work in the task."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

from headway.authoring.run import Run

if TYPE_CHECKING:
    from headway.authoring.dag import DAG
    from headway.authoring.task import Follows


class Call(NamedTuple):
    """One attempt's work. All references are resolved. ``dag``: of the file, while a task of it is executed."""

    function: Callable[..., object] | None
    args: tuple[object, ...]
    kwargs: dict[str, object]
    run: Run
    dag: "DAG | None" = None


class Operator(NamedTuple):
    """``parameters`` are its arguments besides the options of every task; ``run`` returns the
    task's result.

    ``guarded`` are parameters in which secrets are expected: of their texts a spec has only what is written in the
    DAG file. Texts in ``templated`` parameters are rendered as the DAG file has them; a result that takes its place
    among them is data, whatever it looks like. ``run_function``, if there is one, makes ``@task.<word>``: it gets the
    decorated function. ``follows``: which tasks go on after it, by the arguments as the DAG file has them; it raises
    Fail for those that are wrong. ``reads``: the argument with an asset, which becomes an inlet of the task.
    ``method``: finds the function with which a deferred task goes on, by its name; without, it is looked for in the
    module of ``run``. ``usual``: options of its tasks that nobody else says; ``fold`` makes options of every task of
    words that only this operator has.
    """

    word: str
    parameters: tuple[str, ...]
    required: tuple[str, ...]
    run: Callable[[Call], object]
    run_function: Callable[[Call], object] | None = None
    guarded: tuple[str, ...] = ()
    templated: tuple[str, ...] = ()
    follows: "Callable[[Mapping[str, object]], Follows] | None" = None
    reads: str = ""
    method: Callable[[Call, str], object] | None = None
    usual: Mapping[str, object] = {}
    fold: Callable[[Mapping[str, object]], dict[str, object]] | None = None
