"""The client's calls for connections, variables and master keys."""

import msgspec

from headway import wire
from headway.client.connection import Connection, segment


class Secrets(Connection):
    def connections(self) -> list[wire.Connection]:
        return self.get("/connections", wire.Page[wire.Connection]).items

    def connection(self, conn_id: str) -> wire.Connection:
        return self.get(f"/connections/{segment(conn_id)}", wire.Connection)

    def set_connection(self, conn_id: str, wanted: wire.ConnectionRequest) -> wire.Connection:
        body = msgspec.json.encode(wanted)
        answer, _ = self.ask("PUT", f"/connections/{segment(conn_id)}", body, {})
        return msgspec.json.decode(answer, type=wire.Connection)

    def test_connection(self, conn_id: str) -> wire.ConnectionTest:
        """Have an agent of the team try a connection. Takes up to half a minute."""
        return self.post(f"/connections/{segment(conn_id)}/test", None, wire.ConnectionTest)

    def delete_connection(self, conn_id: str) -> None:
        self.ask("DELETE", f"/connections/{segment(conn_id)}", None, {})

    def variables(self) -> list[wire.Variable]:
        return self.get("/variables", wire.Page[wire.Variable]).items

    def variable(self, key: str) -> wire.Variable:
        return self.get(f"/variables/{segment(key)}", wire.Variable)

    def set_variable(self, key: str, wanted: wire.VariableRequest) -> wire.Variable:
        body = msgspec.json.encode(wanted)
        answer, _ = self.ask("PUT", f"/variables/{segment(key)}", body, {})
        return msgspec.json.decode(answer, type=wire.Variable)

    def delete_variable(self, key: str) -> None:
        self.ask("DELETE", f"/variables/{segment(key)}", None, {})

    def rotate_secrets(self) -> wire.Rotation:
        answer, _ = self.ask("POST", "/secret-keys/rotation", None, {})
        return msgspec.json.decode(answer, type=wire.Rotation)
