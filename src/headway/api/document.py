"""The OpenAPI document without a server: ``python -m headway.api.document``.

The types of the web interface are made from it (``make ui-types``).
"""

import json
import sys
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from headway.api import app as api
from headway.api import openapi


def document() -> dict[str, Any]:
    """What the routes say of themselves. Nobody asks them, so nothing has to be behind them."""
    handed = {"api": Provide(nothing, sync_to_thread=False)}
    app = Litestar([api.routes()], dependencies=handed, openapi_config=api.described())
    return openapi.document(app)


def nothing() -> None:
    """In the place of what a request would be handed."""


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
