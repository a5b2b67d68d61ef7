"""The client's calls for webhooks."""

import msgspec

from headway import wire
from headway.client.connection import Connection, segment


class Webhooks(Connection):
    def webhooks(self) -> list[wire.Webhook]:
        return self.get("/webhooks", wire.Page[wire.Webhook]).items

    def webhook(self, name: str) -> wire.Webhook:
        return self.get(f"/webhooks/{segment(name)}", wire.Webhook)

    def create_webhook(self, request: wire.WebhookRequest) -> wire.NewWebhook:
        return self.post("/webhooks", request, wire.NewWebhook)

    def change_webhook(self, name: str, request: wire.WebhookChange) -> wire.Webhook:
        """Disable a webhook, or enable it again."""
        answer, _ = self.ask(
            "PATCH", f"/webhooks/{segment(name)}", msgspec.json.encode(request), {}
        )
        return msgspec.json.decode(answer, type=wire.Webhook)

    def rotate_webhook(self, name: str, overlap_hours: int) -> wire.NewWebhook:
        request = wire.WebhookRotation(overlap_hours=overlap_hours)
        return self.post(f"/webhooks/{segment(name)}/rotate", request, wire.NewWebhook)

    def delete_webhook(self, name: str) -> None:
        self.ask("DELETE", f"/webhooks/{segment(name)}", None, {})

    def webhook_deliveries(self, name: str, limit: int) -> list[wire.WebhookDelivery]:
        """Return the last deliveries, the newest first."""
        path = f"/webhooks/{segment(name)}/deliveries"
        return self.get(path, wire.Page[wire.WebhookDelivery], {"limit": limit}).items

    def replay_delivery(self, name: str, number: int) -> wire.Delivered:
        path = f"/webhooks/{segment(name)}/deliveries/{number}/replay"
        return self.post(path, None, wire.Delivered)
