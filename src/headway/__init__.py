"""Headway's authoring API.

Each name is imported when it is first asked for: ``import headway`` costs nothing.
"""

# Type checkers take it for the constant of ``typing``, whose import would cost the most here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from headway.authoring.dag import DAG as DAG
    from headway.authoring.dag import dag as dag
    from headway.authoring.decorators import task as task
    from headway.authoring.graph import chain as chain
    from headway.authoring.graph import cross_downstream as cross_downstream
    from headway.authoring.groups import TaskGroup as TaskGroup
    from headway.authoring.groups import task_group as task_group
    from headway.authoring.params import Param as Param
    from headway.authoring.run import Fail as Fail
    from headway.authoring.run import Run as Run
    from headway.authoring.run import Skip as Skip
    from headway.authoring.secrets import connection as connection
    from headway.authoring.secrets import mask_secret as mask_secret
    from headway.authoring.secrets import variable as variable
    from headway.authoring.words import Word

    bash: Word
    python: Word

HOMES = {
    "DAG": "headway.authoring.dag",
    "Fail": "headway.authoring.run",
    "Param": "headway.authoring.params",
    "Run": "headway.authoring.run",
    "Skip": "headway.authoring.run",
    "TaskGroup": "headway.authoring.groups",
    "chain": "headway.authoring.graph",
    "connection": "headway.authoring.secrets",
    "cross_downstream": "headway.authoring.graph",
    "dag": "headway.authoring.dag",
    "mask_secret": "headway.authoring.secrets",
    "task": "headway.authoring.decorators",
    "task_group": "headway.authoring.groups",
    "variable": "headway.authoring.secrets",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name in HOMES:
        found = getattr(import_module(HOMES[name]), name)
    else:
        from headway.authoring.operators import OPERATORS

        if name not in OPERATORS:
            raise AttributeError(f"module 'headway' has no attribute {name!r}")
        from headway.authoring.words import word

        found = word(name)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from headway.authoring.operators import OPERATORS

    return sorted([*globals(), *HOMES, *OPERATORS])
