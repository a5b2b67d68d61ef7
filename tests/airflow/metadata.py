"""An AIRFLOW_HOME with a metadata database that Airflow itself has made."""

import os
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

from psycopg.conninfo import conninfo_to_dict


def at_home(home: Path, core: str = "") -> dict[str, str]:
    """Make the database. Returns the environment in which Airflow works with it.

    It has nothing of what reading DAG files has set in this process, by which Airflow would do without a database.
    """
    (home / "airflow.cfg").write_text(
        f"[database]\nsql_alchemy_conn = sqlite:///{home / 'airflow.db'}\n[core]\nload_examples = False\n{core}"
    )
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "AIRFLOW_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "airflow", "db", "migrate"],
        env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return environment


def url_of(dsn: str) -> str:
    """Return a connection string as a URL, as an airflow.cfg has it."""
    found = conninfo_to_dict(dsn)
    place = f"host={quote(str(found['host']), safe='')}&port={found.get('port') or 5432}"
    return f"postgresql://{found['user']}@/{found['dbname']}?{place}"
