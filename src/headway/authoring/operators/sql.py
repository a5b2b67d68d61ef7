"""``sql(task_id=…, conn_id=…, sql=…)``: statements in a database, in one transaction.

The result is the rows of the last statement, each as a dict by column: a list to map over. A text that ends in ``.sql``
is the path of a script in the DAG folder. What the person who starts a run has given belongs into ``parameters``, which
the database takes as values, not into the text.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from headway.authoring.operators.base import Call, Operator
from headway.authoring.operators.templates import script
from headway.authoring.rendered import show
from headway.authoring.run import Fail, Run
from headway.authoring.secrets import connection
from headway.core.connections import Connection
from headway.spec.errors import did_you_mean, listing

ROWS_MAX: Final = 1_000_000
CHECK_INTERVAL: Final = "10s"  # a statement whose task was cancelled ends, instead of running on
CHECKS_SINCE: Final = 140_000


class StatementFailed(Exception):
    """The database refused a statement, or was not reached."""


def run(call: Call) -> list[dict[str, object]] | None:
    given = call.kwargs
    found = connection(text_of("conn_id", given["conn_id"]))
    ask = database_of(found)
    statements = texts_of(given["sql"], call.run)
    parameters = values_of(given.get("parameters"))
    show(sql="\n".join(statements))
    return ask(found, statements, parameters, bool(given.get("autocommit", False)))


def database_of(found: Connection) -> "Database":
    """Return what runs statements by a connection. Raises Fail: nothing does for its type."""
    if found.conn_type not in DATABASES:
        known = listing(DATABASES)
        hint = did_you_mean(found.conn_type, list(DATABASES)) or f"it can be {known}"
        raise Fail(f"sql cannot use a connection of type {found.conn_type!r}; {hint}")
    return DATABASES[found.conn_type]


def text_of(name: str, value: object) -> str:
    if isinstance(value, str):
        return value
    raise Fail(f"{name} must be a string, not {type(value).__name__}")


def texts_of(value: object, run: Run) -> list[str]:
    texts = value if isinstance(value, list | tuple) else [value]
    return [script_of(text_of("sql", text), run) for text in texts]


def script_of(text: str, run: Run) -> str:
    """Return the text, or what the script that it names says in this run."""
    if not text.rstrip().endswith(".sql") or "\n" in text.strip():
        return text
    return script(text.strip(), run)


def values_of(value: object) -> Mapping[str, object] | Sequence[object] | None:
    if value is None or isinstance(value, Mapping | list | tuple):
        return value
    raise Fail(f"parameters must be a dict or a list, not {type(value).__name__}")


def in_sqlite(
    found: Connection, statements: list[str], parameters: Any, autocommit: bool
) -> list[dict[str, object]] | None:
    """Run them in the file that the connection's host or schema names, as in Airflow."""
    place = found.host or found.schema or ":memory:"
    rows = None
    try:
        with closing(sqlite3.connect(place, isolation_level=None)) as opened, opened:
            if not autocommit:
                opened.execute("BEGIN")  # the module's own would leave CREATE TABLE out of it
            for statement in parts_of(statements):
                with closing(opened.execute(statement, parameters or ())) as cursor:
                    rows = rows_of(cursor.description, cursor)
    except sqlite3.Error as error:
        raise StatementFailed(f"{place}: {error}{where_is(place)}") from None
    return rows


def where_is(place: str) -> str:
    """Say what a relative path means: a URI with three slashes looks like an absolute one."""
    if place == ":memory:" or Path(place).is_absolute():
        return ""
    return (
        "; the path is relative to the working directory of the task, which is empty: "
        f"write an absolute one, as in sqlite:////{place}"
    )


def parts_of(texts: list[str]) -> Iterator[str]:
    """Yield one statement after the other: SQLite runs one at a time."""
    for text in texts:
        gathered = ""
        for piece in text.split(";"):
            gathered += f"{piece};"
            if sqlite3.complete_statement(gathered):
                if gathered.strip(" ;\n\t\r"):
                    yield gathered
                gathered = ""
        if gathered.strip(" ;\n\t\r"):
            yield gathered


def in_postgres(
    found: Connection, statements: list[str], parameters: Any, autocommit: bool
) -> list[dict[str, object]] | None:
    """Run them with values bound by the client, so that one text may hold several statements."""
    import psycopg

    rows = None
    try:
        with psycopg.connect(
            autocommit=autocommit,
            cursor_factory=psycopg.ClientCursor,
            **postgres_options(found),
        ) as opened:
            end_when_we_do(opened)
            for statement in statements:
                with opened.execute(statement, parameters) as cursor:
                    rows = last_rows(cursor)
    except psycopg.Error as error:
        raise StatementFailed(str(error).strip() or type(error).__name__) from None
    return rows


def postgres_options(found: Connection) -> dict[str, Any]:
    """Return what libpq takes. Extras are its own words, such as ``sslmode``."""
    own = {
        "host": found.host,
        "port": found.port,
        "dbname": found.schema,
        "user": found.login,
        "password": found.password,
    }
    return {
        "application_name": "headway",
        **{name: value for name, value in own.items() if value is not None},
        **found.extra,
    }


def end_when_we_do(opened: Any) -> None:
    if opened.info.server_version >= CHECKS_SINCE:
        opened.execute(f"SET client_connection_check_interval = '{CHECK_INTERVAL}'")


def last_rows(cursor: Any) -> list[dict[str, object]] | None:
    """Return the rows of the last statement of a text, or None if it has none."""
    rows = None
    while True:
        print(cursor.statusmessage)
        rows = rows_of(cursor.description, cursor)
        if not cursor.nextset():
            return rows


def rows_of(description: Any, rows: Iterator[Any]) -> list[dict[str, object]] | None:
    if description is None:
        return None
    columns = [column[0] for column in description]
    if twice := sorted({name for name in columns if columns.count(name) > 1}):
        raise Fail(
            f'the result has two columns "{twice[0]}"; name them apart: SELECT … AS another_name'
        )
    found: list[dict[str, object]] = []
    for row in rows:
        if len(found) == ROWS_MAX:
            raise Fail(
                f"the result has more than {ROWS_MAX:,} rows; write them to a table, and return what names it"
            )
        found.append(dict(zip(columns, map(plain, row), strict=True)))
    print(f"{len(found):,} row{'' if len(found) == 1 else 's'}")
    return found


def plain(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value


Database = Callable[..., list[dict[str, object]] | None]
DATABASES: Final[dict[str, Database]] = {
    "postgres": in_postgres,
    "sqlite": in_sqlite,
}

OPERATOR = Operator(
    word="sql",
    parameters=("conn_id", "sql", "parameters", "autocommit"),
    required=("conn_id", "sql"),
    run=run,
    templated=("conn_id", "sql", "parameters"),
    guarded=("parameters",),
)
