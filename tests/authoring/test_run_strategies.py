"""Run strategies in a DAG file: the example, and what an author may get wrong."""

from pathlib import Path

import pytest

from headway.authoring.loading import load_file
from headway.core.strategies import Strategy
from headway.spec.errors import BadSpec
from headway.testing import run_dag

EXAMPLES = Path(__file__).parents[2] / "examples" / "strategies"


def written(folder: Path, options: str) -> Path:
    file = folder / "flow.py"
    file.write_text(
        f"from headway import dag, task\n\n@dag({options})\ndef flow():\n"
        "    @task\n    def a(): ...\n    a()\n"
    )
    return file


def test_the_example() -> None:
    made = {dag.dag_id: dag for dag in load_file(EXAMPLES / "refresh.py", EXAMPLES)}
    specs = {name: dag.spec("refresh.py") for name, dag in made.items()}
    assert {name: (spec.run_strategy, spec.max_active_runs) for name, spec in specs.items()} == {
        "refresh": ("last_only", 1),
        "close_books": ("strict_sequential", 1),
    }
    assert run_dag(made["close_books"])["close"].value == 101
    assert run_dag(made["close_books"], params={"opening": -1}).state == "failed"
    assert run_dag(made["refresh"]).state == "success"


@pytest.mark.parametrize("strategy", Strategy)
def test_each_strategy(strategy: Strategy, tmp_path: Path) -> None:
    (dag,) = load_file(written(tmp_path, f'run_strategy="{strategy}"'), tmp_path)
    spec = dag.spec("flow.py")
    assert spec.run_strategy == strategy
    assert spec.max_active_runs == (16 if strategy is Strategy.PARALLEL else 1)


@pytest.mark.parametrize(
    ("options", "message", "hint"),
    [
        (
            'run_strategy="sequental"',
            'flow: unknown run_strategy "sequental"',
            'did you mean "sequential"?',
        ),
        (
            'run_strategy="Forbid"',
            'flow: unknown run_strategy "Forbid"',
            "choose one of parallel, sequential, strict_sequential, first_only, last_only",
        ),
        (
            'run_strategy="last_only", max_active_runs=4',
            'flow: max_active_runs is 4, but run_strategy="last_only" allows one active run',
            "remove max_active_runs, or choose another run_strategy",
        ),
    ],
)
def test_what_is_wrong_names_its_line(
    options: str, message: str, hint: str, tmp_path: Path
) -> None:
    with pytest.raises(BadSpec) as found:
        load_file(written(tmp_path, options), tmp_path)[0].spec("flow.py")
    assert str(found.value).startswith(f"flow.py:3: {message}")
    assert found.value.hint == hint
    assert (found.value.file, found.value.line) == ("flow.py", 3)


def test_the_strategy_is_a_text(tmp_path: Path) -> None:
    with pytest.raises(BadSpec, match="run_strategy"):
        load_file(written(tmp_path, "run_strategy=1"), tmp_path)
