"""Numbers in the messages of agents."""

from typing import Annotated

import msgspec

# What the database has columns for: a message with more is not taken.
Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
