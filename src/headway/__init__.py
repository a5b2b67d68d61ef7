"""Headway's authoring API.

Each name is imported when it is first asked for: ``import headway`` costs nothing.
"""

# Type checkers take it for the constant of ``typing``, whose import would cost the most here.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from headway.authoring.arrivals import ObjectsArrive as ObjectsArrive
    from headway.authoring.arrivals import RowsArrive as RowsArrive
    from headway.authoring.assets import Asset as Asset
    from headway.authoring.assets import AssetAlias as AssetAlias
    from headway.authoring.assets import AssetAll as AssetAll
    from headway.authoring.assets import AssetAny as AssetAny
    from headway.authoring.custom import Operator as Operator
    from headway.authoring.custom import Sensor as Sensor
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
    from headway.authoring.partitions import AllowedKeyMapper as AllowedKeyMapper
    from headway.authoring.partitions import ChainMapper as ChainMapper
    from headway.authoring.partitions import DayWindow as DayWindow
    from headway.authoring.partitions import FanOutMapper as FanOutMapper
    from headway.authoring.partitions import FixedKeyMapper as FixedKeyMapper
    from headway.authoring.partitions import HourWindow as HourWindow
    from headway.authoring.partitions import IdentityMapper as IdentityMapper
    from headway.authoring.partitions import MonthWindow as MonthWindow
    from headway.authoring.partitions import PartitionedAssets as PartitionedAssets
    from headway.authoring.partitions import PartitionedCron as PartitionedCron
    from headway.authoring.partitions import ProductMapper as ProductMapper
    from headway.authoring.partitions import QuarterWindow as QuarterWindow
    from headway.authoring.partitions import RollupMapper as RollupMapper
    from headway.authoring.partitions import SegmentWindow as SegmentWindow
    from headway.authoring.partitions import StartOfDayMapper as StartOfDayMapper
    from headway.authoring.partitions import StartOfHourMapper as StartOfHourMapper
    from headway.authoring.partitions import StartOfMonthMapper as StartOfMonthMapper
    from headway.authoring.partitions import StartOfQuarterMapper as StartOfQuarterMapper
    from headway.authoring.partitions import StartOfWeekMapper as StartOfWeekMapper
    from headway.authoring.partitions import StartOfYearMapper as StartOfYearMapper
    from headway.authoring.partitions import WeekWindow as WeekWindow
    from headway.authoring.partitions import YearWindow as YearWindow
    from headway.authoring.retry_rules import RetryRule as RetryRule
    from headway.authoring.run import Fail as Fail
    from headway.authoring.run import Run as Run
    from headway.authoring.run import Skip as Skip
    from headway.authoring.run import get_current_context as get_current_context
    from headway.authoring.run_results import run_result as run_result
    from headway.authoring.secrets import aconnection as aconnection
    from headway.authoring.secrets import avariable as avariable
    from headway.authoring.secrets import connection as connection
    from headway.authoring.secrets import mask_secret as mask_secret
    from headway.authoring.secrets import variable as variable
    from headway.authoring.setups import context_wrapper as context_wrapper
    from headway.authoring.setups import setup as setup
    from headway.authoring.setups import teardown as teardown
    from headway.authoring.times import AssetsOrTimes as AssetsOrTimes
    from headway.authoring.times import Dates as Dates
    from headway.authoring.triggers import FileExists as FileExists
    from headway.authoring.triggers import HttpReady as HttpReady
    from headway.authoring.triggers import Trigger as Trigger
    from headway.authoring.waits import AssetUpdated as AssetUpdated
    from headway.authoring.waits import DateTime as DateTime
    from headway.authoring.waits import RunEnd as RunEnd
    from headway.authoring.waits import TimeDelta as TimeDelta
    from headway.authoring.waits import defer as defer
    from headway.authoring.watchers import FilesArrive as FilesArrive
    from headway.authoring.watchers import HttpChanges as HttpChanges
    from headway.authoring.watchers import Watcher as Watcher
    from headway.authoring.watchers import WatcherEvent as WatcherEvent
    from headway.authoring.words import Word

    approve: Word
    ask: Word
    bash: Word
    choose: Word
    container: Word
    email: Word
    empty: Word
    http: Word
    latest_only: Word
    python: Word
    sleep_until: Word
    sql: Word
    trigger_dag: Word
    wait_for_asset: Word
    wait_for_object: Word
    wait_for_row: Word
    wait_for_run: Word

HOMES = {
    "AllowedKeyMapper": "headway.authoring.partitions",
    "Asset": "headway.authoring.assets",
    "AssetAlias": "headway.authoring.assets",
    "AssetAll": "headway.authoring.assets",
    "AssetAny": "headway.authoring.assets",
    "AssetsOrTimes": "headway.authoring.times",
    "ChainMapper": "headway.authoring.partitions",
    "AssetUpdated": "headway.authoring.waits",
    "DAG": "headway.authoring.dag",
    "Operator": "headway.authoring.custom",
    "Sensor": "headway.authoring.custom",
    "DateTime": "headway.authoring.waits",
    "Dates": "headway.authoring.times",
    "DayWindow": "headway.authoring.partitions",
    "Fail": "headway.authoring.run",
    "FanOutMapper": "headway.authoring.partitions",
    "FileExists": "headway.authoring.triggers",
    "FilesArrive": "headway.authoring.watchers",
    "FixedKeyMapper": "headway.authoring.partitions",
    "HourWindow": "headway.authoring.partitions",
    "HttpChanges": "headway.authoring.watchers",
    "HttpReady": "headway.authoring.triggers",
    "IdentityMapper": "headway.authoring.partitions",
    "Loop": "headway.authoring.iterations",
    "LoopDecision": "headway.authoring.iterations",
    "MonthWindow": "headway.authoring.partitions",
    "ObjectsArrive": "headway.authoring.arrivals",
    "Param": "headway.authoring.params",
    "PartitionedAssets": "headway.authoring.partitions",
    "PartitionedCron": "headway.authoring.partitions",
    "ProductMapper": "headway.authoring.partitions",
    "QuarterWindow": "headway.authoring.partitions",
    "RollupMapper": "headway.authoring.partitions",
    "RetryRule": "headway.authoring.retry_rules",
    "RowsArrive": "headway.authoring.arrivals",
    "Run": "headway.authoring.run",
    "RunEnd": "headway.authoring.waits",
    "SegmentWindow": "headway.authoring.partitions",
    "Skip": "headway.authoring.run",
    "StartOfDayMapper": "headway.authoring.partitions",
    "StartOfHourMapper": "headway.authoring.partitions",
    "StartOfMonthMapper": "headway.authoring.partitions",
    "StartOfQuarterMapper": "headway.authoring.partitions",
    "StartOfWeekMapper": "headway.authoring.partitions",
    "StartOfYearMapper": "headway.authoring.partitions",
    "TaskGroup": "headway.authoring.groups",
    "TimeDelta": "headway.authoring.waits",
    "Trigger": "headway.authoring.triggers",
    "Watcher": "headway.authoring.watchers",
    "WatcherEvent": "headway.authoring.watchers",
    "WeekWindow": "headway.authoring.partitions",
    "YearWindow": "headway.authoring.partitions",
    "aconnection": "headway.authoring.secrets",
    "avariable": "headway.authoring.secrets",
    "chain": "headway.authoring.graph",
    "connection": "headway.authoring.secrets",
    "context_wrapper": "headway.authoring.setups",
    "cross_downstream": "headway.authoring.graph",
    "dag": "headway.authoring.dag",
    "defer": "headway.authoring.waits",
    "get_current_context": "headway.authoring.run",
    "mask_secret": "headway.authoring.secrets",
    "run_result": "headway.authoring.run_results",
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

        if name not in OPERATORS and (plugin := plugged(name)) is not None:
            globals()[name] = plugin
            return plugin
        if name not in OPERATORS:
            raise AttributeError(f"module 'headway' has no attribute {name!r}")
        from headway.authoring.words import word

        found = word(name)
    globals()[name] = found
    return found


def plugged(name: str) -> object:
    """Return the operator of an installed package, or None. Modules of ours, which are asked for here first, begin with
    a small letter, and to look for packages takes long.
    """
    if not name[:1].isupper():
        return None
    from headway.authoring.plugins import found

    return found(name)


def __dir__() -> list[str]:
    from headway.authoring.operators import OPERATORS

    return sorted([*globals(), *HOMES, *OPERATORS])
