"""A second front end, so that the seam has two sides: DAGs of shell commands, written in TOML.

    # tiny
    [dag.hello]
    a.command = "echo one"
    b.command = "echo $GIVEN"
    b.env.GIVEN = { result = "a" }

Its files are data: nothing is left of them but specs, and tasks are run from those.
"""

from collections.abc import Awaitable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from headway.authoring.dag import DAG
from headway.frontends.base import Loaded, Trouble
from headway.spec import arguments, model
from headway.spec.errors import BadSpec
from headway.spec.graph import in_order
from headway.spec.validate import validate

if TYPE_CHECKING:
    from headway.authoring.looking import Given
    from headway.authoring.watching import Watched

MARK: Final = b"# tiny\n"


class Tiny:
    suffixes = (".tiny",)
    describes = "a file that begins with # tiny"
    heavy = False
    ignore_file = ""

    def claims(self, path: str, content: bytes) -> bool:
        return content.startswith(MARK) and path.endswith((*self.suffixes, ".py"))

    def text(self, content: bytes) -> bytes:
        return content

    def ignored(self, texts: Mapping[str, str], paths: Iterable[str]) -> set[str]:
        return set()

    def warm(self) -> None:
        import tomllib  # noqa: F401

    def load(self, root: Path, file: str) -> Loaded:
        import tomllib

        try:
            read = tomllib.loads((root / file).read_bytes().decode())
        except ValueError as error:
            raise BadSpec(str(error), file=file, line=1) from None
        dags = [dag_of(name, tasks, file) for name, tasks in read.get("dag", {}).items()]
        odd = [Trouble(f"{name} means nothing here") for name in read.keys() - {"dag"}]
        return Loaded(dags, odd)

    def runnable(self, root: Path, file: str) -> dict[str, DAG]:
        from headway.frontends.runnable import runnable

        return runnable(self.load(root, file).dags)

    def awaited(self, given: "Given") -> Awaitable[object]:
        from headway.authoring import looking

        return looking.awaited(given)

    def watched(self, given: "Watched") -> Awaitable[None]:
        from headway.authoring import watching

        return watching.watched(given)


def dag_of(dag_id: str, tasks: dict[str, Any], file: str) -> model.Dag:
    made = {task_id: task_of(task_id, dict(given)) for task_id, given in tasks.items()}
    dag = model.Dag(dag_id=dag_id, file=file, tasks=tuple(in_order(made, file)), line=2)
    validate(dag)
    return dag


def task_of(task_id: str, given: dict[str, Any]) -> model.Task:
    kind = given.pop("kind", "bash")
    data = {name: data_of(value) for name, value in given.items()}
    named = (each.get("task_id") for each in arguments.tagged(data, "result"))
    results = sorted({name for name in named if name is not None})
    return model.Task(
        task_id=task_id,
        kind=kind,
        upstream=tuple(results),
        inputs=tuple(model.Input(task_id=each) for each in results),
        arguments=data,
    )


def data_of(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"result"}:
        return arguments.result(value["result"])
    if isinstance(value, dict):
        return {name: data_of(item) for name, item in value.items()}
    return value


FRONT_END: Final = Tiny()
