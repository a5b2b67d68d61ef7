"""Pools."""

from typing import Annotated

import msgspec

from headway.wire.bounds import INT32_MAX, said


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    slots: int
    used: int
    waiting: int


class PoolRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    slots: Annotated[int, said(minimum=0, maximum=INT32_MAX)]
