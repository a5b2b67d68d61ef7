"""Operators and sensors of one's own: as good as those that come with Headway."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

import headway
from headway import DAG, Operator, Run, Sensor, TimeDelta, dag, defer, task
from headway.authoring.run import Fail
from headway.loader.check import check
from headway.spec.errors import BadSpec
from headway.testing import run_dag


class Greet(Operator):
    """Says hello, as often as it is told to."""

    name: str
    times: int = 1
    templated = ("name",)
    kind: ClassVar[str] = "no argument"

    def execute(self, run: Run) -> str:
        return f"{run.task_id}: " + f"hello {self.name}! " * self.times


class Shout(Greet):
    loud: bool = True

    def execute(self, run: Run) -> str:
        said = super().execute(run)
        return said.upper() if self.loud else said


class Later(Operator):
    job: int

    def execute(self) -> None:
        defer(TimeDelta(hours=1), then=self.finish, extra=1)

    def finish(self, found: object, extra: int) -> int:
        return self.job + extra


class Counted(Sensor):
    folder: str

    def poke(self, run: Run) -> object:
        file = Path(self.folder, run.task_id)
        looks = int(file.read_text()) + 1 if file.exists() else 1
        file.write_text(str(looks))
        return {"looks": looks} if looks == 3 else None


def test_a_class_is_an_operator() -> None:
    @dag
    def greets() -> None:
        @task
        def names() -> list[str]:
            return ["{{ ds }}", "b"]

        hello = Greet("hello", name="{{ dag_id }}", times=2)
        each = Shout.partial("each", times=1, retries=3).expand(name=names())
        hello >> each

    found = run_dag(greets)
    assert found["hello"].value == "hello: hello greets! hello greets! "
    assert found["each"].values == ["EACH: HELLO {{ DS }}! ", "EACH: HELLO B! "], "results are data"
    spec = {each.task_id: each for each in greets.make_itself().spec("f.py").tasks}
    assert (spec["hello"].kind, spec["each"].kind, spec["each"].retries) == ("Greet", "Shout", 3)
    assert spec["hello"].doc == "Says hello, as often as it is told to."
    assert spec["each"].upstream == ("hello", "names")


def test_it_goes_on_with_a_method_after_a_wait() -> None:
    with DAG("d") as made:
        Later("later", job=6)
    assert run_dag(made)["later"].value == 7


@pytest.mark.parametrize("mode", ["reschedule", "poke"])
def test_a_sensor_looks_until_it_finds_something(tmp_path: Path, mode: str) -> None:
    with DAG("d") as made:
        Counted("there", folder=str(tmp_path), poke_interval=0.01, mode=mode)
        Counted("never", folder=str(tmp_path), poke_interval=0.01, timeout=0.005, soft_fail=True)
    found = run_dag(made)
    assert found["there"].value == {"looks": 3}
    assert found["never"].state == "skipped"


def test_a_sensor_has_the_modes_that_it_can_have(tmp_path: Path) -> None:
    with DAG("d") as made:
        Counted("there", folder=str(tmp_path), mode="deferred")
    error = run_dag(made)["there"].error
    assert isinstance(error, Fail)
    assert 'mode must be "reschedule" or "poke"' in str(error)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({}, 'Greet("x") needs name'),
        ({"name": "a", "tmies": 2}, 'has no option "tmies"'),
    ],
)
def test_what_a_call_gets_wrong_is_told(given: dict[str, Any], why: str) -> None:
    with DAG("d"), pytest.raises(BadSpec) as caught:
        Greet("x", **given)
    assert why in str(caught.value)


class Lazy(Operator):
    name: str


def test_a_class_without_work_is_told() -> None:
    with DAG("d"), pytest.raises(BadSpec, match="Lazy has no method execute"):
        Lazy("x", name="y")


def test_what_a_class_gets_wrong_is_told_with_its_line(tmp_path: Path) -> None:
    (tmp_path / "wrong.py").write_text(
        "from headway import Operator, dag\n\nclass Bad(Operator):\n    retries: int = 0\n"
    )
    (tmp_path / "typo.py").write_text(
        "from headway import Operator, dag\n\nclass Bad(Operator):\n    text: str\n    templated = ('txt',)\n"
    )
    wrong, typo = check(tmp_path / "wrong.py")[0].error, check(tmp_path / "typo.py")[0].error
    assert wrong is not None
    assert typo is not None
    assert (wrong.line, wrong.message) == (3, "Bad: retries cannot be an argument")
    assert (typo.line, typo.message) == (3, "Bad: templated names 'txt', which is not an argument")


def test_one_of_a_shared_module_of_the_folder_loads(tmp_path: Path) -> None:
    (tmp_path / "ours.py").write_text(
        "from headway import Operator\n\nclass Load(Operator):\n    table: str\n\n"
        "    def execute(self):\n        return self.table\n"
    )
    (tmp_path / "d.py").write_text(
        "from headway import dag\nfrom ours import Load\n\n@dag\ndef d():\n    Load('load', table='t')\n"
    )
    (found,) = [each for each in check(tmp_path) if each.dags]
    assert [each.kind for each in found.dags[0].tasks] == ["Load"]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package as pip installs one, with operators among its entry points."""
    (tmp_path / "acme_operators.py").write_text(
        "from headway import Operator\n\nclass Ship(Operator):\n    to: str\n\n"
        "    def execute(self):\n        return f'to {self.to}'\n\nnothing = 3\n"
    )
    info = tmp_path / "acme_operators-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-operators\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[headway.operators]\nShip = acme_operators:Ship\nNothing = acme_operators:nothing\n"
        "Broken = acme_nowhere:Broken\nbash = acme_operators:Ship\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    sys.modules.pop("acme_operators", None)
    for name in ("Ship", "Nothing", "Broken"):
        vars(headway).pop(name, None)


@pytest.mark.usefixtures("package")
def test_an_installed_package_has_operators() -> None:
    ship: Any = getattr(headway, "Ship")  # noqa: B009

    with DAG("d") as made:
        ship("ship", to="Hamburg")
        headway.bash("ours", command="echo bash")
    found = run_dag(made)
    assert (found["ship"].value, found["ours"].value) == ("to Hamburg", "bash")


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("Nothing", "acme_operators:nothing of the package acme-operators is not an operator"),
        ("Broken", "cannot be imported: ModuleNotFoundError: No module named 'acme_nowhere'"),
    ],
)
@pytest.mark.usefixtures("package")
def test_a_package_whose_operator_is_none_is_named(name: str, why: str) -> None:
    with pytest.raises(ImportError) as caught:
        getattr(headway, name)
    assert why in str(caught.value)


def test_what_nobody_has_is_an_attribute_that_is_missing() -> None:
    with pytest.raises(AttributeError):
        getattr(headway, "Nobody")  # noqa: B009
