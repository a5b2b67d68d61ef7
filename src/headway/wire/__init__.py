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
    BackfillAnswer,
    BackfillRequest,
    BackfillRun,
)
from headway.wire.dags import (
    DagDetail,
    DagSummary,
    DagVersion,
    ImportError,
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
    Event,
    MarkRequest,
    Run,
    RunTask,
    TriggerRequest,
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
    "BackfillAnswer",
    "BackfillRequest",
    "BackfillRun",
    "BulkAnswer",
    "BulkRequest",
    "ClearAnswer",
    "ClearRequest",
    "Component",
    "DagDelta",
    "DagDetail",
    "DagSummary",
    "DagVersion",
    "Event",
    "Health",
    "ImportError",
    "InstanceChange",
    "InstanceKey",
    "InstancesDelta",
    "LinkRequest",
    "LogDelta",
    "LoginLink",
    "LoginLinkRequest",
    "MarkRequest",
    "NewToken",
    "Page",
    "PasswordRequest",
    "Person",
    "Pool",
    "PoolDelta",
    "PoolRequest",
    "PoolsDelta",
    "Problem",
    "Run",
    "RunDelta",
    "RunTask",
    "Session",
    "SessionRequest",
    "TaskInstance",
    "TaskInstanceDetail",
    "TeamRole",
    "Token",
    "TokenRequest",
    "TriggerRequest",
    "User",
    "UserChange",
    "UserRequest",
    "XCom",
    "code_of",
    "error_of",
    "problem_of",
]
