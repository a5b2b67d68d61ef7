"""Pools."""

import msgspec


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    used: int
    waiting: int


class PoolRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: int
