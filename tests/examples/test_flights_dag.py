"""The flights DAG as the loader reads it."""

from headway.authoring.build import build
from headway.authoring.loading import load_file
from tests.tidy.tree import ROOT

FOLDER = ROOT / "examples" / "flights"


def test_the_file_holds_one_dag_with_a_mapped_join() -> None:
    (dag,) = load_file(FOLDER / "flights.py", FOLDER)
    spec = build(dag, "flights.py")
    assert spec.dag_id == "flights"
    assert {task.task_id: set(task.upstream) for task in spec.tasks} == {
        "extract": set(),
        "weather": set(),
        "clean": {"extract"},
        "groups": {"clean"},
        "join": {"clean", "weather", "groups"},
        "combine": {"clean", "join"},
        "report": {"clean", "combine"},
    }
    assert [task.task_id for task in spec.tasks if task.mapping] == ["join"]


def test_the_other_files_of_the_folder_hold_none() -> None:
    for name in ("charts.py", "pages.py", "summary.py", "work.py"):
        assert load_file(FOLDER / name, FOLDER) == []
