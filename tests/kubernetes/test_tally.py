"""What the pods of a namespace hold is counted as they change, and is what a count of all of them says."""

from decimal import Decimal
from random import Random

import pytest

from headway.executors.kubernetes.pods import Pod
from headway.executors.kubernetes.tally import Tally


def pod(name: str, phase: str = "Running", dag: str = "a", **asks: str) -> Pod:
    amounts = {key: Decimal(text) for key, text in asks.items()}
    return Pod(namespace="team", name=name, uid=name, phase=phase, dag=dag, asks=amounts)


def facts(tally: Tally) -> tuple[object, ...]:
    return (
        tally.live,
        dict(tally.dags),
        {name: dict(found) for name, found in tally.sizes.items() if found},
    )


@pytest.mark.parametrize("seed", range(20))
def test_counted_as_they_change_is_counted_at_the_end(seed: int) -> None:
    chance = Random(seed)
    tally, pods = Tally(), dict[str, Pod]()
    for _ in range(300):
        name = f"p{chance.randrange(12)}"
        after = None
        if chance.random() < 0.8:
            phase = chance.choice(("Pending", "Running", "Succeeded", "Failed"))
            asks = {"cpu": chance.choice(("0", "1", "2"))} if chance.random() < 0.7 else {}
            after = pod(name, phase, chance.choice(("", "a", "b")), **asks)
        tally.change(pods.get(name), after)
        pods.pop(name, None)
        if after is not None:
            pods[name] = after
        assert facts(tally) == facts(Tally.of(pods.values()))
