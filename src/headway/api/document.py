"""The OpenAPI document without a server: ``python -m headway.api.document``.

The web interface's types are generated from it (``make ui-types``).
"""

import json
import sys
from typing import Any

from litestar import Litestar
from litestar.di import Provide

from headway.api import app as api
from headway.api import openapi


def document() -> dict[str, Any]:
    """Build the document from the routes alone. They are never called, so no database is needed."""
    handed = {"api": Provide(nothing, sync_to_thread=False)}
    app = Litestar([api.routes()], dependencies=handed, openapi_config=api.described())
    return openapi.document(app)


def nothing() -> None:
    """A placeholder for the context of a request."""


if __name__ == "__main__":
    json.dump(document(), sys.stdout, indent=1, sort_keys=True)
