"""Operators and sensors of one's own: a class with its arguments as annotated attributes.

    class Greet(Operator):
        name: str
        times: int = 1
        templated = ("name",)

        def execute(self, run: Run) -> str:
            return f"hello {self.name}! " * self.times

    Greet("hello", name="{{ ds }}")                        # a task
    Greet.partial("each", times=2).expand(name=names())    # one for each name

Nothing is made of the class while the file is read. In the task's process an instance gets its arguments as
attributes, and ``execute`` is called as a ``@task`` function is: it may ask for the run, be ``async def``, and defer.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_origin

from headway.authoring.calls import wrong
from headway.authoring.frames import call_site
from headway.authoring.operators import base, python, sensor
from headway.authoring.operators.base import Call
from headway.authoring.options import TASK_OPTIONS
from headway.authoring.rendered import show_arguments
from headway.authoring.run import Fail
from headway.authoring.task import Task
from headway.authoring.words import PartialWord, Word

RESERVED: Final = ("execute", "mro", "partial", "poke", "task_id", "templated", "word")
LOOKS: Final = (*sensor.OPTIONS, "mode")


class Made(type):
    """The type of operator classes: calling one makes a task."""

    word: Word

    def __call__(cls, task_id: str, **kwargs: Any) -> Task:
        return cls.word(task_id, **checked(cls, kwargs))

    def partial(cls, task_id: str, **kwargs: Any) -> PartialWord:
        """Set the arguments that are the same for all mapped instances."""
        return cls.word.partial(task_id, **checked(cls, kwargs))


def checked(cls: type, given: dict[str, Any]) -> dict[str, Any]:
    """Let the docstring of the class describe the task, unless the file does. Raises BadSpec for one without work."""
    method = "poke" if issubclass(cls, Sensor) else "execute"
    if not callable(getattr(cls, method, None)):
        raise wrong(f"{cls.__name__} has no method {method}", call_site())
    return given if "doc_md" in given or not cls.__doc__ else {"doc_md": cls.__doc__, **given}


if TYPE_CHECKING:
    # What a call makes, as far as type checkers are concerned: something that goes before and after other tasks.
    from headway.authoring.setups import Markable as Base
else:
    Base = object


class Operator(Base, metaclass=Made):
    # ``templated``: the arguments whose texts are templates.
    templated: ClassVar[tuple[str, ...]] = ()

    if TYPE_CHECKING:
        execute: Callable[..., object]  # what the task does

        def __init__(self, task_id: str, **kwargs: Any) -> None: ...

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__module__ != __name__:
            cls.word = Word(operator_of(cls))


class Sensor(Operator):
    """``poke`` is called again and again until it returns something true, which is the result.

    Between two looks no process runs and no slot is in use; with ``mode="poke"`` both are kept. ``poke_interval``,
    ``timeout``, ``soft_fail``, ``silent_fail``, ``exponential_backoff`` and ``max_wait`` are those of ``@task.sensor``.
    """

    if TYPE_CHECKING:
        poke: Callable[..., object]


def operator_of(cls: type[Operator]) -> base.Operator:
    """Return the operator that a class describes. Raises BadSpec for arguments that no task can have."""
    arguments = arguments_of(cls)
    more = LOOKS if issubclass(cls, Sensor) else ()
    for name in arguments:
        if name in RESERVED or name in TASK_OPTIONS or name in more:
            hint = "an option of every task has this name" if name in TASK_OPTIONS else None
            raise wrong(f"{cls.__name__}: {name} cannot be an argument", call_site(), hint)
    unknown = [name for name in cls.templated if name not in arguments]
    if unknown:
        raise wrong(f"{cls.__name__}: templated names {unknown[0]!r}, which is not an argument")

    def run(call: Call) -> object:
        made = instance_of(cls, arguments, call)
        if not isinstance(made, Sensor):
            return python.invoke(made.execute, (), {}, call.run)
        looks = sensor.of_arguments(cls.__name__, call.kwargs)
        mode = call.kwargs.get("mode") or "reschedule"
        if mode not in ("reschedule", "poke"):
            raise Fail(f'{cls.__name__}: mode must be "reschedule" or "poke", not {mode!r}')
        return sensor.look(looks._replace(mode=str(mode)), call, lambda _: poked(made, call))

    def method(call: Call, name: str) -> object:
        return getattr(instance_of(cls, arguments, call), name, None)

    return base.Operator(
        word=cls.__name__,
        parameters=(*arguments, *more),
        required=tuple(name for name in arguments if not hasattr(cls, name)),
        run=run,
        templated=cls.templated,
        method=method,
    )


def arguments_of(cls: type) -> dict[str, None]:
    """Return the names of the annotated attributes, those of the first class first."""
    found: dict[str, None] = {}
    for one in reversed(cls.__mro__):
        if one in (Operator, Sensor):
            continue
        for name, note in getattr(one, "__annotations__", {}).items():  # a class has its own
            if not name.startswith("_") and not is_of_class(note):
                found[name] = None
    return found


def is_of_class(note: object) -> bool:
    if isinstance(note, str):
        return note.startswith(("ClassVar", "typing.ClassVar"))
    return note is ClassVar or get_origin(note) is ClassVar


def instance_of(cls: type[Operator], arguments: Mapping[str, None], call: Call) -> Operator:
    made: Operator = object.__new__(cls)
    given = {name: value for name, value in call.kwargs.items() if name in arguments}
    for name, value in given.items():
        setattr(made, name, value)
    show_arguments(arguments, (), given)
    return made


def poked(made: Sensor, call: Call) -> object:
    return python.invoke(made.poke, (), {}, call.run)
