"""The lines of a file on which its DAGs and tasks are made, as far as their ids stand there. Airflow's objects do not
tell."""

import ast
from typing import Any, Final

CALLS: Final = ("task_id", "dag_id")


class Lines:
    """The lines of one file. ``path``: as Airflow knows it."""

    def __init__(self, path: str, text: bytes) -> None:
        self.path = path
        self.texts: dict[str, int] = {}  # the first line on which a text is the id, or might be
        self.dags: dict[str, int] = {}  # given to DAG, first
        self.named: dict[str, int] = {}  # given as task_id or dag_id, or the name of a function
        for node in ast.walk(ast.parse(text)):
            self.look(node)

    def look(self, node: ast.AST) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            self.named.setdefault(node.name, node.lineno)
        elif isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DAG" and node.args:
            if isinstance(node.args[0], ast.Constant) and isinstance(node.args[0].value, str):
                self.dags.setdefault(node.args[0].value, node.args[0].lineno)
        elif isinstance(node, ast.keyword) and node.arg in CALLS:
            if isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
                self.named.setdefault(node.value.value, node.value.lineno)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.texts.setdefault(node.value, node.lineno)

    def of_dag(self, dag_id: str) -> int:
        """Return the line, or 0 if the id is put together by the file."""
        return self.dags.get(dag_id) or self.named.get(dag_id) or self.texts.get(dag_id) or 0

    def of_task(self, task: Any) -> int:
        code = getattr(getattr(task, "python_callable", None), "__code__", None)
        label = str(task.label)
        if (line := self.named.get(label) or self.named.get(str(task.task_id))) is not None:
            return line
        if code is not None and code.co_filename == self.path:
            return int(code.co_firstlineno)
        return self.texts.get(label, 0)
