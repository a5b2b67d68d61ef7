"""The OpenAPI document without a server: ``python -m headway.api.document``.

The types of the web interface are made from it (``make ui-types``).
"""

import json
import sys
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from headway.api.app import described, routes


def document() -> dict[str, Any]:
    """What the routes say of themselves. Nobody asks them, so nothing has to be behind them."""
    handed = {"api": Provide(nothing, sync_to_thread=False)}
    app = Litestar([routes()], dependencies=handed, openapi_config=described())
    return app.openapi_schema.to_schema()


def nothing() -> None:
    """In the place of what a request would be handed."""


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
