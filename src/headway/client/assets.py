"""The client's calls for assets."""

from headway import wire
from headway.client.connection import Connection, segment


class Assets(Connection):
    def assets(self, **filters: object) -> list[wire.Asset]:
        """Return all assets by name; filters: q, name, sort."""
        return list(self.all_pages("/assets", wire.Asset, filters))

    def asset(self, asset: str) -> wire.AssetDetail:
        return self.get("/assets/detail", wire.AssetDetail, {"asset": asset})

    def asset_events(self, asset: str, limit: int) -> list[wire.AssetEvent]:
        """Return the last events of an asset, the newest first."""
        query = {"asset": asset, "limit": limit}
        return self.get("/assets/events", wire.Page[wire.AssetEvent], query).items

    def asset_partitions(self, asset: str, limit: int) -> list[wire.AssetPartition]:
        """Return the partitions of an asset with their last events, the last key first."""
        query = {"asset": asset, "limit": limit}
        return self.get("/assets/partitions", wire.Page[wire.AssetPartition], query).items

    def dag_partitions(self, dag_id: str, limit: int) -> list[wire.PendingPartition]:
        """Return the partitions that a DAG waits for, by key."""
        path = f"/dags/{segment(dag_id)}/partitions"
        return self.get(path, wire.Page[wire.PendingPartition], {"limit": limit}).items

    def emit_asset_event(self, request: wire.AssetEventRequest) -> wire.AssetEvent:
        return self.post("/assets/events", request, wire.AssetEvent)

    def dag_assets(self, dag_id: str) -> wire.DagAssets:
        return self.get(f"/dags/{segment(dag_id)}/assets", wire.DagAssets)
