"""The operators by the word that a DAG file uses.

To add one: a file in this folder and a line here.
"""

from importlib import import_module
from typing import Final

from headway.authoring.operators.base import Operator

OPERATORS: Final = {
    "approve": "headway.authoring.operators.approve",
    "ask": "headway.authoring.operators.ask",
    "choose": "headway.authoring.operators.choose",
    "python": "headway.authoring.operators.python",
    "bash": "headway.authoring.operators.bash",
    "container": "headway.authoring.operators.container",
    "email": "headway.authoring.operators.email",
    "empty": "headway.authoring.operators.empty",
    "latest_only": "headway.authoring.operators.latest_only",
    "http": "headway.authoring.operators.http",
    "sleep_until": "headway.authoring.operators.sleep_until",
    "sql": "headway.authoring.operators.sql",
    "trigger_dag": "headway.authoring.operators.trigger_dag",
    "wait_for_asset": "headway.authoring.operators.wait_for_asset",
    "wait_for_object": "headway.authoring.operators.wait_for_object",
    "wait_for_row": "headway.authoring.operators.wait_for_row",
    "wait_for_run": "headway.authoring.operators.wait_for_run",
}


def operator(word: str) -> Operator:
    found: Operator = import_module(OPERATORS[word]).OPERATOR
    return found
