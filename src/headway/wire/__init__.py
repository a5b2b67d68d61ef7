"""What the HTTP API says: structs that the store's views fill, the API sends, the client reads.

One noun a file, all of them named here. Standard library and msgspec only, so that a command starts
without a database driver. Only ever append fields with defaults: an older client reads a newer
server.
"""

from headway.wire.audit import (
    AuditCheck,
    AuditEntry,
)
from headway.wire.backfills import (
    Backfill,
    BackfillAnswer,
    BackfillRequest,
    BackfillRun,
)
from headway.wire.calendar import (
    Calendar,
    CalendarFire,
    Day,
    Fire,
    Fires,
)
from headway.wire.dags import (
    DagDetail,
    DagSummary,
    DagVersion,
    ImportError,
)
from headway.wire.diagnosis import (
    BlockedTask,
    Comparison,
    Diagnosis,
    Difference,
    ErrorGroup,
    FirstError,
    RetryCounts,
)
from headway.wire.events import (
    Event,
)
from headway.wire.gantt import (
    Bar,
    Gantt,
    Segment,
    Waited,
)
from headway.wire.grid import (
    Grid,
    GridGroup,
    GridRun,
    GridTask,
)
from headway.wire.health import (
    Component,
    Health,
)
from headway.wire.instances import (
    Attempt,
    InstanceKey,
    TaskInstance,
    TaskInstanceDetail,
    XCom,
)
from headway.wire.logs import (
    LogLines,
    LogMatch,
    LogMatches,
    RenderedField,
    RenderedFields,
    RunLogMatch,
    RunLogMatches,
)
from headway.wire.overview import (
    DagCounts,
    FailedRun,
    Home,
    Hour,
    LateDag,
    NextRun,
    RunCounts,
    WaitingTask,
)
from headway.wire.pages import (
    Page,
)
from headway.wire.people import (
    LinkRequest,
    LoginLink,
    LoginLinkRequest,
    NewToken,
    PasswordRequest,
    Person,
    Session,
    SessionRequest,
    TeamRole,
    Token,
    TokenRequest,
    User,
    UserChange,
    UserRequest,
)
from headway.wire.pools import (
    Pool,
    PoolRequest,
)
from headway.wire.problems import (
    KINDS,
    Problem,
    code_of,
    error_of,
    problem_of,
)
from headway.wire.runs import (
    BulkAnswer,
    BulkRequest,
    ClearAnswer,
    ClearRequest,
    MarkPreview,
    MarkRequest,
    NoteRequest,
    Run,
    RunBrief,
    RunTask,
    TriggerPreview,
    TriggerRequest,
)
from headway.wire.search import (
    Found,
    FoundDag,
    FoundRun,
    FoundTask,
)
from headway.wire.stream import (
    DagDelta,
    InstanceChange,
    InstancesDelta,
    LogDelta,
    PoolDelta,
    PoolsDelta,
    RunDelta,
)

__all__ = [
    "KINDS",
    "Attempt",
    "AuditCheck",
    "AuditEntry",
    "Backfill",
    "BackfillAnswer",
    "BackfillRequest",
    "BackfillRun",
    "Bar",
    "BlockedTask",
    "BulkAnswer",
    "BulkRequest",
    "Calendar",
    "CalendarFire",
    "ClearAnswer",
    "ClearRequest",
    "Comparison",
    "Component",
    "DagCounts",
    "DagDelta",
    "DagDetail",
    "DagSummary",
    "DagVersion",
    "Day",
    "Diagnosis",
    "Difference",
    "ErrorGroup",
    "Event",
    "FailedRun",
    "Fire",
    "Fires",
    "FirstError",
    "Found",
    "FoundDag",
    "FoundRun",
    "FoundTask",
    "Gantt",
    "Grid",
    "GridGroup",
    "GridRun",
    "GridTask",
    "Health",
    "Home",
    "Hour",
    "ImportError",
    "InstanceChange",
    "InstanceKey",
    "InstancesDelta",
    "LateDag",
    "LinkRequest",
    "LogDelta",
    "LogLines",
    "LogMatch",
    "LogMatches",
    "LoginLink",
    "LoginLinkRequest",
    "MarkPreview",
    "MarkRequest",
    "NewToken",
    "NextRun",
    "NoteRequest",
    "Page",
    "PasswordRequest",
    "Person",
    "Pool",
    "PoolDelta",
    "PoolRequest",
    "PoolsDelta",
    "Problem",
    "RenderedField",
    "RenderedFields",
    "RetryCounts",
    "Run",
    "RunBrief",
    "RunCounts",
    "RunDelta",
    "RunLogMatch",
    "RunLogMatches",
    "RunTask",
    "Segment",
    "Session",
    "SessionRequest",
    "TaskInstance",
    "TaskInstanceDetail",
    "TeamRole",
    "Token",
    "TokenRequest",
    "TriggerPreview",
    "TriggerRequest",
    "User",
    "UserChange",
    "UserRequest",
    "Waited",
    "WaitingTask",
    "XCom",
    "code_of",
    "error_of",
    "problem_of",
]
