"""An operator and a sensor of one's own: twenty lines that any DAG of the folder imports."""

import csv
from pathlib import Path

from headway import Operator, Sensor


class CountRows(Operator):
    """Counts the rows of a CSV file that have a value in a column."""

    path: str
    column: str
    templated = ("path",)

    def execute(self) -> int:
        with Path(self.path).open(encoding="utf-8", newline="") as file:
            return sum(bool(row[self.column]) for row in csv.DictReader(file))


class FileHasRows(Sensor):
    """Waits until a CSV file has more than its head."""

    path: str
    templated = ("path",)

    def poke(self) -> bool:
        file = Path(self.path)
        return file.exists() and len(file.read_text(encoding="utf-8").splitlines()) > 1
