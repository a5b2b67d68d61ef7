"""The words of states. They travel as text, so that an older client can read a state it does not know."""

from typing import Annotated

from headway.core import states
from headway.wire.bounds import said

InstanceState = Annotated[str, said(enum=list(states.State))]
RunState = Annotated[str, said(enum=list(states.RunState))]
AttemptState = Annotated[str, said(enum=list(states.AttemptState))]
