"""The companion of a DAG with callbacks: when there can be one, and what it allows each call."""

import pytest
from msgspec.structs import replace

from headway.core.callbacks import FUNCTIONS_MAX
from headway.spec.callbacks import TIMEOUT_S, companion, with_companions
from headway.spec.carried import ID_BYTES_MAX
from headway.spec.errors import BadSpec
from headway.spec.model import Dag, Task
from headway.spec.validate import validate

DAG = Dag(
    dag_id="d",
    file="d.py",
    tasks=(Task(task_id="a", callbacks={"failure": 1}, line=7),),
    callbacks={"failure": 1},
    line=3,
)


def test_a_dag_with_callbacks_has_one() -> None:
    assert [dag.dag_id for dag in with_companions([DAG])] == ["d", "d.callbacks"]
    plain = replace(DAG, tasks=(Task(task_id="a"),), callbacks={})
    assert with_companions([plain]) == [plain]
    validate(companion(DAG))
    (call,) = companion(DAG).tasks
    assert (call.execution_timeout_s, call.retries) == (TIMEOUT_S, 2)


@pytest.mark.parametrize("callbacks", [{}, {"failure": 1}])
def test_no_author_may_choose_the_id_of_one(callbacks: dict[str, int]) -> None:
    """Its events would bring no calls, and it would stand in the way of the DAG whose companion is called so."""
    mine = replace(DAG, dag_id="daily.callbacks", callbacks=callbacks)
    with pytest.raises(BadSpec, match=r'the dag_id "daily.callbacks" ends with .callbacks') as told:
        with_companions([mine])
    assert (told.value.where, told.value.hint) == (
        "d.py:3",
        'choose another id, for instance "daily_callbacks"',
    )


@pytest.mark.parametrize("letter", ["d", "ü"])
def test_an_id_must_leave_room_for_that_of_the_companion(letter: str) -> None:
    most = (ID_BYTES_MAX - len(".callbacks")) // len(letter.encode())
    fits = replace(DAG, dag_id=letter * most)
    for dag in with_companions([fits]):
        validate(dag)
    longer = replace(DAG, dag_id=letter * (most + 1))
    with pytest.raises(BadSpec, match=r"bytes long; with callbacks the limit is 240") as told:
        with_companions([longer])
    assert told.value.where == "d.py:3"
    assert "choose a shorter id" in (told.value.hint or "")
    with_companions([replace(longer, tasks=(Task(task_id="a"),), callbacks={})])


def test_the_functions_of_one_occasion_are_bounded() -> None:
    most = {"failure": FUNCTIONS_MAX}
    with_companions([replace(DAG, callbacks=most)])
    for many in (
        replace(DAG, callbacks={"failure": FUNCTIONS_MAX + 1}),
        replace(DAG, tasks=(Task(task_id="a", callbacks={"retry": 10**9}, line=7),)),
    ):
        with pytest.raises(BadSpec, match="are more than the limit of 20") as told:
            with_companions([many])
        assert told.value.where in ("d.py:3", "d.py:7")
