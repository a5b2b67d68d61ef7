"""Airflow's runner reads a DAG file for each task; here it does so only if the file might be another one for each."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Final

import pytest

pytestmark = pytest.mark.long

DAG: Final = """

@dag(schedule=None, start_date=datetime(2026, 1, 1, tzinfo=UTC))
def letters():
    @task
    def count():
        return str(FOUND)

    count()

letters()
"""
IMPORTS: Final = (
    "import os\nfrom datetime import UTC, datetime, timedelta\nfrom airflow.sdk import dag, task\n"
)
# Each task reads the file anew, as in Airflow: what the file does at its top, and what is said of it.
LOOKS: Final = {
    "FOUND = datetime.now()": "datetime.now",
    "import time\nFOUND = time.time()": "time",
    "import pendulum\nFOUND = pendulum.today()": "datetime.now",
    "from airflow.sdk import timezone\nFOUND = timezone.utcnow()": "timezone.utcnow",
    "import uuid\nFOUND = uuid.uuid4()": "urandom",
    "import random\nFOUND = random.random()": "random",
    "FOUND = os.getcwd()": "getcwd",
    "FOUND = os.getpid()": "getpid",
    "FOUND = os.getenv('HEADWAY_RUN_ID')": "HEADWAY_RUN_ID",
    "FOUND = 'HEADWAY_TASK_ID' in os.environ": "HEADWAY_TASK_ID",
    "FOUND = dict(os.environ)": "whole environment",
    "FOUND = open('/etc/hostname').read()": "/etc/hostname",
    "from pathlib import Path\nFOUND = Path('/etc/hostname').exists()": "/etc/hostname",
    "open('left.txt', 'a').close()\nFOUND = 1": "left.txt",
    "print('read')\nFOUND = 1": "print",
    "import logging\nlogging.getLogger(__name__).warning('read')\nFOUND = 1": "time",
    "import socket\nFOUND = socket.gethostname()": "gethostname",
    "import subprocess\nFOUND = subprocess.check_output(['true'])": "",
    "from airflow.sdk import Variable\nFOUND = Variable.get('place', 'none')": "Variable.get",
    "from airflow.sdk import get_parsing_context\nFOUND = get_parsing_context()": "get_parsing_context",
    "from shared import now\nFOUND = now()": "datetime.now",
    "from dataclasses import dataclass, field\n\n@dataclass\nclass Made:\n"
    "    at: object = field(default_factory=datetime.now)\n\nFOUND = Made().at": "datetime.now",
}
# The file is read once: nobody can tell.
PLAIN: Final = (
    "FOUND = 1",
    "FOUND = os.environ.get('HOME'), os.getenv('PLACE'), 'PLACE' in os.environ",
    "import json\nfrom pathlib import Path\nFOUND = json.loads((Path(__file__).parent / 'here.json').read_text())",
    "import glob\nFOUND = [open(each).read() for each in glob.glob(os.path.dirname(__file__) + '/*.json')]",
    "import yaml\nFOUND = yaml.safe_load(open(os.path.join(os.path.dirname(__file__), 'here.json')))",
    "import pendulum\nFOUND = pendulum.datetime(2026, 1, 1, tz='Europe/Berlin').add(days=1)",
    "import logging\nLOG = logging.getLogger(__name__)\nFOUND = timedelta(days=1)",
    "import re\nFOUND = re.sub('[^a-z]', '_', f'{datetime(2026, 1, 1):%Y-%m}')",
    "from shared import three\nFOUND = three()",
    "import io\ntext = io.StringIO()\ntext.write('x')\nFOUND = text.getvalue()",
)
SHARED: Final = """
from datetime import datetime

AT_IMPORT = datetime.now()  # once, whatever reads the file again


def now():
    return datetime.now()


def three():
    return sum([1, 2])
"""
KEEP: Final = """
import json, sys
from pathlib import Path
from headway.frontends.airflow import loading, parsed
keep, said = parsed.keep, {}
def told(root, file):
    said[file] = keep(root, file)
parsed.keep = told
for path in sorted(Path.cwd().glob("case_*.py")):
    loading.runnable(Path.cwd(), path.name)
Path("said.json").write_text(json.dumps(said))
"""


def test_only_a_file_that_looks_at_nothing_is_read_once(tmp_path: Path) -> None:
    cases = [*LOOKS, *PLAIN]
    for number, text in enumerate(cases):
        (tmp_path / f"case_{number:02}.py").write_text(IMPORTS + text + DAG)
    (tmp_path / "shared.py").write_text(SHARED)
    (tmp_path / "here.json").write_text("[1]")
    run_program(tmp_path, KEEP)
    said = json.loads((tmp_path / "said.json").read_text())
    found = {text: said[f"case_{number:02}.py"] for number, text in enumerate(cases)}
    assert {text: found[text] for text in PLAIN} == dict.fromkeys(PLAIN, "")
    for text, what in LOOKS.items():
        assert found[text], f"read once: {text}"
        assert what in found[text], text


# Runs one task in a file of each kind, and counts how often its process read the file.
COUNT: Final = """
from datetime import UTC, datetime
from pathlib import Path
from headway.authoring.execute import Inputs
from headway.authoring.run import Run
from headway.frontends.airflow import loading, runner
run_task = runner.run
def told(*given):
    from airflow.dag_processing import dagbag
    made = dagbag.DagBag.__init__
    def noted(*args, **named):
        with open(f"{given[1]}/reads.txt", "a") as file:
            file.write(NAME + " ")
        made(*args, **named)
    dagbag.DagBag.__init__ = noted
    return run_task(*given)
runner.run = told
now = datetime.now(UTC)
run = Run(run_id="r", dag_id="letters", task_id="count", logical_date=now, data_interval=(now, now), trigger="manual",
    params={})
for NAME in ("plain", "looks"):
    workflow = loading.runnable(Path.cwd(), f"{NAME}.py")["letters"]
    found = {workflow.execute("count", run, Inputs()).xcoms["return_value"] for _ in range(2)}
    Path(f"{NAME}.txt").write_text(str(len(found)))
"""


def test_a_file_that_looks_at_the_clock_is_read_for_each_task(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(IMPORTS + "FOUND = 1" + DAG)
    (tmp_path / "looks.py").write_text(IMPORTS + "FOUND = datetime.now()" + DAG)
    run_program(tmp_path, COUNT)
    assert (tmp_path / "reads.txt").read_text().split() == ["looks", "looks"]
    assert [(tmp_path / f"{name}.txt").read_text() for name in ("plain", "looks")] == ["1", "2"]


WARNS: Final = "import warnings\nwarnings.warn('an odd word')\nFOUND = 1"


def test_warnings_of_a_file_that_is_read_once_are_in_each_log(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(IMPORTS + WARNS + DAG)
    done = run_program(tmp_path, COUNT.replace('("plain", "looks")', '("plain",)'))
    assert not (tmp_path / "reads.txt").exists()
    assert done.stdout.count("an odd word") == 2, textwrap.shorten(done.stdout, 2000)


def run_program(folder: Path, program: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=folder, capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.fail(done.stdout + done.stderr)
    return done
