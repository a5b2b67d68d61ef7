"""The client's calls for webhooks, inbound and outbound."""

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

    # -- outbound

    def outbound_webhooks(self) -> list[wire.OutboundWebhook]:
        return self.get("/outbound-webhooks", wire.Page[wire.OutboundWebhook]).items

    def outbound_webhook(self, name: str) -> wire.OutboundWebhook:
        return self.get(f"/outbound-webhooks/{segment(name)}", wire.OutboundWebhook)

    def create_outbound_webhook(
        self, request: wire.OutboundWebhookRequest
    ) -> wire.NewOutboundWebhook:
        return self.post("/outbound-webhooks", request, wire.NewOutboundWebhook)

    def change_outbound_webhook(
        self, name: str, request: wire.OutboundWebhookChange
    ) -> wire.OutboundWebhook:
        """Change what is given, disable a webhook, or enable it again."""
        answer, _ = self.ask(
            "PATCH", f"/outbound-webhooks/{segment(name)}", msgspec.json.encode(request), {}
        )
        return msgspec.json.decode(answer, type=wire.OutboundWebhook)

    def delete_outbound_webhook(self, name: str) -> None:
        self.ask("DELETE", f"/outbound-webhooks/{segment(name)}", None, {})

    def outbound_deliveries(self, name: str, limit: int) -> list[wire.OutboundDelivery]:
        """Return the last deliveries, the newest first."""
        path = f"/outbound-webhooks/{segment(name)}/deliveries"
        return self.get(path, wire.Page[wire.OutboundDelivery], {"limit": limit}).items

    def redeliver(self, name: str, number: int) -> wire.OutboundDelivery:
        path = f"/outbound-webhooks/{segment(name)}/deliveries/{number}/redeliver"
        return self.post(path, None, wire.OutboundDelivery)

    def ping_outbound_webhook(self, name: str) -> wire.OutboundDelivery:
        return self.post(f"/outbound-webhooks/{segment(name)}/ping", None, wire.OutboundDelivery)
