"""What Airflow made of the drawn DAGs, by their numbers: those of the test suite, and the others (``make drawn``)."""

import json
import os
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
FILES: Final = (HERE / "drawn.json", HERE / "drawn_more.json")


def recorded() -> dict[int, Any]:
    """Return the records. With ``DRAWN=FILE`` those of another file count, too."""
    others = [Path(os.environ["DRAWN"])] if "DRAWN" in os.environ else []
    found: dict[int, Any] = {}
    for file in (*FILES, *others):
        for number, each in json.loads(file.read_text())["dags"].items():
            found[int(number)] = each
    return found


RECORDED: Final = recorded()
