"""Webhooks: addresses at which other systems report events of assets, or start runs, and what came there."""

from datetime import datetime
from typing import Annotated

import msgspec

from headway.wire.bounds import said


class Webhook(msgspec.Struct, frozen=True, kw_only=True):
    """``kind``: ``asset``, of which a delivery reports an event, or ``dag``, of which it starts a run. ``fields``: the
    names of the extra or the parameters, each with the path of its value in the body.
    """

    name: str
    url: str
    kind: str
    target: str
    fields: dict[str, str]
    key_path: str | None
    partition_path: str | None
    created_at: datetime
    created_by: str
    disabled_at: datetime | None
    overlap_until: datetime | None  # until then the secret before the last rotation counts, too


class NewWebhook(Webhook, frozen=True, kw_only=True):
    id: str
    secret: str  # shown this once


class WebhookDelivery(msgspec.Struct, frozen=True, kw_only=True):
    """``outcome``: ``accepted``; ``failed``, if it was signed and nothing could be made of it; or ``refused``.
    ``made``: the number of the event, or the id of the run.
    """

    number: int
    at: datetime
    outcome: str
    detail: str
    delivery_id: str | None
    made: str | None
    address: str
    body: str | None
    replay_of: int | None


class Delivered(msgspec.Struct, frozen=True, kw_only=True):
    """``made``: the number of the event, or the id of the run. ``repeated``: it was made by an earlier delivery."""

    made: str
    repeated: bool


# -- what is asked for


class WebhookRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Exactly one of ``asset`` and ``dag_id``. Paths are names with dots between them; ``.`` is the whole body."""

    name: str
    asset: str | None = None
    dag_id: str | None = None
    fields: dict[str, str] = {}
    key_path: str | None = None
    partition_path: str | None = None


class WebhookRotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """``overlap_hours``: how long the secret before counts, too; 0: it ends now."""

    overlap_hours: Annotated[int, said(minimum=0, maximum=720)] = 24


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    disabled: bool
