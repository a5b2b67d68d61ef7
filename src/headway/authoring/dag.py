"""``@dag`` and ``with DAG("id"):``: a workflow as it is written. ``DAG.spec`` makes data of it."""

from collections.abc import Callable, Mapping
from copy import copy
from functools import update_wrapper
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, Unpack, overload

from headway.authoring import context
from headway.authoring.calls import refuse_unknown
from headway.authoring.frames import Site, call_site, line_of, origin
from headway.authoring.groups import TaskGroup
from headway.authoring.kinds import resolved
from headway.authoring.options import (
    CALLBACKS,
    DAG_OPTIONS,
    TASK_OPTIONS,
    DagOptions,
    read_options,
)
from headway.authoring.params import Declared, Param, declared, declared_by
from headway.authoring.references import ParamRef
from headway.authoring.setups import Block
from headway.authoring.signatures import signature_of
from headway.authoring.task import Task
from headway.spec.carried import shown
from headway.spec.errors import BadSpec

if TYPE_CHECKING:
    from headway.authoring.decorators import TaskFunction
    from headway.authoring.execute import Inputs, Result
    from headway.authoring.run import Run
    from headway.spec import model


class DAG:
    """``with DAG("daily", schedule="@daily", start_date=…):`` — tasks made inside belong to it."""

    def __init__(self, dag_id: str, **options: Unpack[DagOptions]) -> None:
        self.define(dag_id, dict(options), origin(context.file_read))

    def define(self, dag_id: str, given: Mapping[str, Any], site: Site) -> None:
        """Do the work of ``__init__`` for a DAG that is not created on a line of its file."""
        self.site = self.made_at = site
        self.dag_id = dag_id
        word = f'DAG("{dag_id}")'
        self.options = read_options(given, DAG_OPTIONS, self.site, word, ("dag_id",))
        self.default_args = self.take_default_args(self.options.pop("default_args", {}), word)
        # Where scripts that templates name or include are, the DAG folder first.
        self.folders: tuple[str, ...] = (".", *self.options.pop("template_searchpath", ()))
        self.callbacks = {word: self.options[word] for word in CALLBACKS if word in self.options}
        params = self.options.pop("params", {})
        self.params: dict[str, Declared] = {
            name: declared(name, value, self.site) for name, value in params.items()
        }
        self.tasks: dict[str, Task] = {}
        self.functions: list[TaskFunction] = []  # written in its body, called or not
        self.groups: list[TaskGroup] = []  # those that are open, the innermost last
        self.all_groups: dict[TaskGroup, None] = {}
        self.blocks: list[Block] = []  # of setups and teardowns, that are open
        self.group_ids: set[str] = set()
        self.counts: dict[str, int] = {}
        self.keys: dict[str, set[str]] | None = None
        context.record(self)

    def __repr__(self) -> str:
        return f"<DAG {self.dag_id}>"

    def __enter__(self) -> Self:
        context.dags.append(self)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context.dags.remove(self)

    def take_default_args(self, given: dict[str, Any], word: str) -> dict[str, Any]:
        """Options of all tasks. Airflow's files also keep the DAG's dates and owner there."""
        for name in ("start_date", "end_date", "owner"):
            if name in given:
                found = read_options({name: given[name]}, DAG_OPTIONS, self.site, word)
                self.options.setdefault(name, found[name])
        rest = {n: v for n, v in given.items() if n not in ("start_date", "end_date")}
        read_options(rest, TASK_OPTIONS, self.site, f"{word}: default_args")
        return rest

    def free_task_id(self, task_id: str, function: Callable[..., object] | None, at: Site) -> str:
        """Return a free task id with the group's prefix; a function called again gets ``name__1``, ``name__2``, …"""
        group = context.current_group()
        full = f"{group.prefix}{task_id}" if group else task_id
        earlier = self.tasks.get(full)
        if earlier is None:
            return full
        if function is None or not same_code(function, earlier.function):
            raise BadSpec(
                f'two tasks are called "{full}", at lines {earlier.line} and {at.line}',
                file=at.file,
                line=at.line,
                hint="give one of them another task_id",
            )
        return self.numbered(full, self.tasks)

    def free_group_id(self, group_id: str, prefix: str) -> str:
        full = f"{prefix}{group_id}"
        if full in self.group_ids:
            full = self.numbered(full, self.group_ids)
        self.group_ids.add(full)
        return full[len(prefix) :]

    def numbered(self, name: str, taken: Mapping[str, object] | set[str]) -> str:
        number = self.counts.get(name, 1)
        while f"{name}__{number}" in taken:
            number += 1
        self.counts[name] = number + 1
        return f"{name}__{number}"

    def referenced_keys(self) -> dict[str, set[str]]:
        """Return by task id the keys of its result that other tasks read."""
        if self.keys is None:
            self.keys = {}
            for task in self.tasks.values():
                for reference in task.read():
                    self.keys.setdefault(reference.task_id, set()).add(reference.key)
        return self.keys

    def execute(self, task_id: str, run: "Run", inputs: "Inputs") -> "Result":
        """Execute one attempt of a task in this process. Raises Skip, Fail, or whatever the task raises."""
        from headway.authoring.execute import execute

        return execute(self, task_id, run, inputs)

    def spec(self, file: str) -> "model.Dag":
        """The DAG as validated data. ``file`` is its path in the bundle. Raises BadSpec."""
        from headway.authoring.build import build

        return build(self, file)


def same_code(function: Callable[..., object], other: Callable[..., object] | None) -> bool:
    """A function defined again in a loop is the same to its author."""
    return getattr(function, "__code__", function) is getattr(other, "__code__", other)


class DagFunction:
    """A function under ``@dag``. Calling it makes the DAG; a file that only defines it need not."""

    def __init__(
        self, function: Callable[..., object], dag_id: str, options: dict[str, Any], site: Site
    ) -> None:
        self.function = function
        self.dag_id = dag_id
        self.options = options
        self.site = Site(site.file, line_of(function, site), site.module)
        self.called = False
        update_wrapper(self, function)
        context.record(self)

    def __call__(self, *args: object, **kwargs: object) -> DAG:
        """Arguments become the defaults of the parameters of the same name."""
        return self.make(args, kwargs, origin(context.file_read))

    def make_itself(self) -> DAG:
        """Called by nobody in its file, it belongs there all the same."""
        return self.make((), {}, self.site)

    def make(self, args: tuple[object, ...], kwargs: dict[str, object], site: Site) -> DAG:
        self.called = True
        signature = signature_of(self.function)
        refuse_unknown(f"{self.function.__name__}()", signature, args, kwargs)
        made = DAG.__new__(DAG)
        made.define(self.dag_id, self.options, site)
        if "doc" not in made.options and self.function.__doc__:
            made.options["doc"] = shown(self.function.__doc__.strip())
        given = dict(zip(signature.parameters, args, strict=False)) | kwargs
        for name, parameter in signature.parameters.items():
            default = given.get(name, parameter.default)
            asked = parameter._replace(default=with_default(parameter.default, default))
            made.params[name] = declared_by(
                asked, made.site, resolved(asked.annotation, self.function)
            )
        made.site = Site(self.site.file, self.site.line, made.site.module)
        with made:
            self.function(**{name: ParamRef(name) for name in signature.parameters})
        return made

    def override(
        self, *, dag_id: str | None = None, **options: Unpack[DagOptions]
    ) -> "DagFunction":
        """The same function as another DAG: ``daily.override(dag_id="daily_de")(country="de")``."""
        site = call_site()
        read_options(dict(options), DAG_OPTIONS, site, f"{self.dag_id}.override()", ("dag_id",))
        self.called = True
        merged = {**self.options, **options}
        return DagFunction(self.function, dag_id or self.dag_id, merged, self.site)


def with_default(declared: object, value: object) -> object:
    """``value`` as the default of what ``Param`` says."""
    if not isinstance(declared, Param) or isinstance(value, Param):
        return value
    other = copy(declared)
    other.default = value
    return other


@overload
def dag(function: Callable[..., object], /) -> DagFunction: ...
@overload
def dag(
    dag_id: str, /, **options: Unpack[DagOptions]
) -> Callable[[Callable[..., object]], DagFunction]: ...
@overload
def dag(
    *, dag_id: str | None = None, **options: Unpack[DagOptions]
) -> Callable[[Callable[..., object]], DagFunction]: ...
def dag(
    first: Callable[..., object] | str | None = None, /, **options: Any
) -> DagFunction | Callable[[Callable[..., object]], DagFunction]:
    """Make a DAG of a function: its name is the id, its parameters are the DAG's."""
    site = call_site()
    dag_id = options.pop("dag_id", None) or (first if isinstance(first, str) else None)
    read_options(options, DAG_OPTIONS, site, "@dag", ("dag_id",))
    if callable(first):
        return DagFunction(first, dag_id or first.__name__, options, site)
    return lambda function: DagFunction(function, dag_id or function.__name__, options, site)
