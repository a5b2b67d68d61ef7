"""Headway's own store: encrypted rows of the team, which may be restricted to some of its DAGs."""

from collections.abc import Mapping
from typing import Any

from headway.secrets import stored
from headway.secrets.backends.base import CONNECTION, Found, Question, Read, of_connection
from headway.secrets.keys import Keys
from headway.store import connections, variables


class Builtin:
    def __init__(self, keys: Keys, read: Read) -> None:
        self.keys = keys
        self.read = read

    def get(self, question: Question) -> Found | None:
        find = connections.find if question.kind == CONNECTION else variables.find
        row = self.read(find, question.team_id, question.name)
        if row is None:
            return None
        if (
            row.dags is not None
            and question.dags is not None
            and question.dags.isdisjoint(row.dags)
        ):
            return None
        if isinstance(row, connections.Stored):
            return of_connection(stored.open_connection(self.keys, question.team_id, row))
        text = stored.open_variable(self.keys, question.team_id, row)
        return Found(text, [] if row.envelope is None else [text])


def opened(settings: Mapping[str, Any], keys: Keys, read: Read) -> Builtin:
    return Builtin(keys, read)
