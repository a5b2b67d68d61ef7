"""One sample for each front end, and the registry with the one that only tests have, in all processes."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from headway import frontends
from headway.frontends.base import FrontEnd
from tests.frontends import tiny
from tests.loader.conftest import Folder as Folder
from tests.loader.conftest import folder as folder
from tests.loader.conftest import loader as loader
from tests.loader.conftest import make_loader as make_loader
from tests.tidy.tree import ROOT

FRONT_ENDS: Final[tuple[FrontEnd, ...]] = (*frontends.FRONT_ENDS, tiny.FRONT_END)
PYTHON: Final = """from headway import bash, dag

@dag(dag_id="{dag_id}")
def define():
    a = bash(task_id="a", command="echo one")
    bash(task_id="b", command="echo got $GIVEN", env={{"GIVEN": a.output}})
"""
AIRFLOW: Final = """from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

with DAG("{dag_id}") as dag:
    a = BashOperator(task_id="a", bash_command="echo one")
    BashOperator(task_id="b", bash_command="echo got $GIVEN", env={{"GIVEN": a.output}}, append_env=True)
"""
TINY: Final = """# tiny
[dag.{dag_id}]
a.command = "echo one"
b.command = "echo got $GIVEN"
b.env.GIVEN = {{ result = "a" }}
"""


@dataclass(frozen=True)
class Sample:
    """``dag`` has two tasks; ``nothing`` is claimed and defines no DAG; ``broken`` goes wrong in line 1."""

    suffix: str
    dag: str
    nothing: str
    broken: str
    not_utf_8: bytes

    def text(self, dag_id: str) -> str:
        return self.dag.format(dag_id=dag_id)


SAMPLES: Final = {
    "python": Sample(
        ".py", PYTHON, "import headway\n", "import headway 1\n", b"# headway\nx = '\xff'\n"
    ),
    "airflow": Sample(
        ".py", AIRFLOW, "import airflow\n", "import airflow 1\n", b"import airflow\nx = '\xff'\n"
    ),
    "tiny": Sample(".tiny", TINY, "# tiny\n", "# tiny\n[", b"# tiny\n# \xff\n"),
}


# To import Airflow takes longer than all that the others do.
SLOW: Final = {"airflow": [pytest.mark.long]}


@pytest.fixture(params=[pytest.param(name, marks=SLOW.get(name, [])) for name in SAMPLES])
def sample(request: pytest.FixtureRequest) -> Sample:
    return SAMPLES[request.param]


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frontends, "FRONT_ENDS", FRONT_ENDS)
    site = Path(__file__).parent / "site"
    monkeypatch.setenv("PYTHONPATH", f"{site}:{ROOT}:{ROOT / 'src'}")
