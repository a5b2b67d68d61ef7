"""The operators by the word that a DAG file uses.

To add one: a file in this folder and a line here.
"""

from importlib import import_module
from typing import Final

from headway.authoring.operators.base import Operator

OPERATORS: Final = {
    "python": "headway.authoring.operators.python",
    "bash": "headway.authoring.operators.bash",
}


def operator(word: str) -> Operator:
    found: Operator = import_module(OPERATORS[word]).OPERATOR
    return found
