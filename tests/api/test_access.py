"""Every route says who may enter it, and only they do."""

from typing import Any

import pytest
from litestar import Litestar, get
from litestar.openapi import OpenAPIConfig

from headway.api.access import MEMBER, PUBLIC, declared
from headway.api.app import Unrouted
from headway.core.roles import BUILT_IN, Role


def test_each_role_may_do_what_those_before_it_may() -> None:
    ladder = [Role.VIEWER, Role.OPERATOR, Role.AUTHOR, Role.ADMIN]
    for has, role in enumerate(ladder):
        may = [BUILT_IN[needed] <= BUILT_IN[role] for needed in ladder]
        assert may == [n <= has for n in range(4)]


@pytest.mark.parametrize("needs", [{}, {"needs": "everybody"}])
def test_a_route_that_does_not_say_who_may_enter_is_a_mistake_of_ours(
    needs: dict[str, Any],
) -> None:
    @get("/data", sync_to_thread=False, **needs)
    def data() -> str:
        return "secret"

    config = OpenAPIConfig("t", "1", openapi_router=Unrouted("/openapi", route_handlers=[]))
    with pytest.raises(AssertionError, match="needs"):
        list(declared(Litestar([data], openapi_config=config).routes))


def test_a_declared_route_is_found() -> None:
    @get("/data", needs=PUBLIC, sync_to_thread=False)
    def data() -> str:
        return "no secret"

    config = OpenAPIConfig("t", "1", openapi_router=Unrouted("/openapi", route_handlers=[]))
    found = set(declared(Litestar([data], openapi_config=config).routes))
    assert found == {("GET", "/data", PUBLIC), ("OPTIONS", "/data", MEMBER)}
