"""Questions of running attempts for results of their team: what the code of a task asks for while it runs.

Most results go out with the grant of an attempt. Those that only the task's code names, as in ``xcom_pull``, are asked
for. The answer is a JSON list of ``{"map_index": …, "value": …}``, in the order of the map index.
"""

from pathlib import Path
from typing import Any, Final

import msgspec
from psycopg import Connection

from headway.agent.numbers import Int32
from headway.errors import NotAllowed
from headway.spec.carried import flaw_of_text
from headway.store import xcoms
from headway.store.xcoms import Found, Wanted

KIND: Final = "xcom"
BYTES_MAX: Final = 32 * 1024 * 1024  # of one answer, which is one message to the agent


class Asked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    run_id: str
    task_id: str
    key: str
    map_index: Int32 | None  # None: of all instances


DECODER: Final = msgspec.json.Decoder(Asked)


def read(conn: Connection[Any], team_id: int, data: Path, name: str) -> tuple[str, list[str]]:
    """Answer a question, and return the secrets in the answer.

    Raises NotAllowed: it is none, or the values are too large.
    """
    try:
        asked = DECODER.decode(name)
    except msgspec.DecodeError:
        raise NotAllowed("the question for a result cannot be read") from None
    if any(flaw_of_text(text) for text in (asked.run_id, asked.task_id, asked.key)):
        return "[]", []
    wanted = Wanted(asked.task_id, asked.key, asked.map_index)
    found = xcoms.fetch(conn, team_id, asked.run_id, [wanted])
    size = sum(one.size for one in found)
    if size > BYTES_MAX:
        raise NotAllowed(
            f"the results of task {asked.task_id!r} have {size >> 20} MB, more than the limit of "
            f"{BYTES_MAX >> 20} MB for what a task asks for; write a file, and return its path"
        )
    secrets = {secret for one in found for secret in one.secrets or ()}
    return "[" + ",".join(item(data, one) for one in found) + "]", sorted(secrets)


def item(data: Path, found: Found) -> str:
    value = found.value
    if value is None:
        assert found.file is not None, "within the limit, it is in the row or in its file"
        value = (data / found.file).read_text()
    return f'{{"map_index":{found.map_index},"value":{value}}}'
