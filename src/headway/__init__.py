"""Headway's authoring API.

Each name is imported when it is first asked for: ``import headway`` costs nothing.
"""

# Type checkers take it for the constant of ``typing``, whose import would cost the most here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from headway.authoring.assets import Asset as Asset
    from headway.authoring.assets import AssetAll as AssetAll
    from headway.authoring.assets import AssetAny as AssetAny
    from headway.authoring.dag import DAG as DAG
    from headway.authoring.dag import dag as dag
    from headway.authoring.decorators import task as task
    from headway.authoring.graph import chain as chain
    from headway.authoring.graph import cross_downstream as cross_downstream
    from headway.authoring.groups import TaskGroup as TaskGroup
    from headway.authoring.groups import task_group as task_group
    from headway.authoring.iterations import Loop as Loop
    from headway.authoring.iterations import LoopDecision as LoopDecision
    from headway.authoring.params import Param as Param
    from headway.authoring.run import Fail as Fail
    from headway.authoring.run import Run as Run
    from headway.authoring.run import Skip as Skip
    from headway.authoring.run import get_current_context as get_current_context
    from headway.authoring.secrets import connection as connection
    from headway.authoring.secrets import mask_secret as mask_secret
    from headway.authoring.secrets import variable as variable
    from headway.authoring.setups import context_wrapper as context_wrapper
    from headway.authoring.setups import setup as setup
    from headway.authoring.setups import teardown as teardown
    from headway.authoring.triggers import FileExists as FileExists
    from headway.authoring.triggers import HttpReady as HttpReady
    from headway.authoring.triggers import Trigger as Trigger
    from headway.authoring.waits import DateTime as DateTime
    from headway.authoring.waits import RunEnd as RunEnd
    from headway.authoring.waits import TimeDelta as TimeDelta
    from headway.authoring.waits import defer as defer
    from headway.authoring.words import Word

    approve: Word
    ask: Word
    bash: Word
    choose: Word
    empty: Word
    http: Word
    python: Word
    sleep_until: Word
    sql: Word
    wait_for_run: Word

HOMES = {
    "Asset": "headway.authoring.assets",
    "AssetAll": "headway.authoring.assets",
    "AssetAny": "headway.authoring.assets",
    "DAG": "headway.authoring.dag",
    "DateTime": "headway.authoring.waits",
    "Fail": "headway.authoring.run",
    "FileExists": "headway.authoring.triggers",
    "HttpReady": "headway.authoring.triggers",
    "Loop": "headway.authoring.iterations",
    "LoopDecision": "headway.authoring.iterations",
    "Param": "headway.authoring.params",
    "Run": "headway.authoring.run",
    "RunEnd": "headway.authoring.waits",
    "Skip": "headway.authoring.run",
    "TaskGroup": "headway.authoring.groups",
    "TimeDelta": "headway.authoring.waits",
    "Trigger": "headway.authoring.triggers",
    "chain": "headway.authoring.graph",
    "connection": "headway.authoring.secrets",
    "context_wrapper": "headway.authoring.setups",
    "cross_downstream": "headway.authoring.graph",
    "dag": "headway.authoring.dag",
    "defer": "headway.authoring.waits",
    "get_current_context": "headway.authoring.run",
    "mask_secret": "headway.authoring.secrets",
    "setup": "headway.authoring.setups",
    "task": "headway.authoring.decorators",
    "task_group": "headway.authoring.groups",
    "teardown": "headway.authoring.setups",
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
