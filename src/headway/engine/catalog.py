"""A cache of compiled graphs and timetables by DAG version. Versions never change, so entries never expire."""

from collections import OrderedDict
from typing import Any, Final

from psycopg import Connection

from headway.core.graph import Graph
from headway.spec import compile
from headway.spec.model import Dag
from headway.store import dags
from headway.store.transact import read

VERSIONS_MAX: Final = 2_000


class Catalog:
    """A bounded cache that drops the least recently used version first."""

    def __init__(self, conn: Connection[Any]) -> None:
        self.conn = conn
        self.versions: OrderedDict[tuple[int, str, int], tuple[Dag, Graph]] = OrderedDict()

    def graph(self, team_id: int, dag_id: str, version: int) -> Graph:
        return self.version(team_id, dag_id, version)[1]

    def dag(self, team_id: int, dag_id: str, version: int) -> Dag:
        return self.version(team_id, dag_id, version)[0]

    def version(self, team_id: int, dag_id: str, version: int) -> tuple[Dag, Graph]:
        key = (team_id, dag_id, version)
        found = self.versions.get(key)
        if found is None:
            spec = read(self.conn, dags.spec, team_id, dag_id, version)
            found = self.versions[key] = (spec, compile.graph(spec))
            if len(self.versions) > VERSIONS_MAX:
                self.versions.popitem(last=False)
        else:
            self.versions.move_to_end(key)
        return found
