"""``empty(task_id=…)``: does nothing. It gathers arrows, or marks a place in the graph."""

from headway.authoring.operators.base import Call, Operator


def run(call: Call) -> None:
    """Do nothing."""


OPERATOR = Operator(word="empty", parameters=(), required=(), run=run)
