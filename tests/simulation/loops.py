"""A world of loops: gates that decide otherwise each time they are asked, iterations that people clear and mark, and
processes that die between the two.
"""

from typing import Final, LiteralString

from msgspec.structs import replace

from headway.spec.model import Dag, Loop, Task
from tests.simulation.dags import LOOP_GATE, draw
from tests.simulation.groups import Groups
from tests.simulation.minds import deciding_dag

BOUND: Final = 3
LOOP: Final = "l"

# Of a run that has ended: gates of the iterations before and after ``ti``.
GATE: LiteralString = """
    SELECT FROM task_instance AS gate WHERE gate.team_id = ti.team_id AND gate.run_id = ti.run_id
        AND gate.task_id = loop ->> 'gate' AND gate.state = 'success' AND cardinality(gate.follow) > 0"""
IN_LOOP: LiteralString = """
    run JOIN dag_version USING (team_id, dag_id, version) CROSS JOIN json_array_elements(spec -> 'loops') AS loop
    JOIN task_instance AS ti USING (team_id, run_id)
    WHERE run.state IN ('success', 'failed', 'cancelled')"""
INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    "I57 an iteration exists that no gate led to": f"""
        SELECT FROM {IN_LOOP} AND ti.map_index > 0 AND NOT EXISTS (
            {GATE} AND gate.map_index = ti.map_index - 1)""",
    "I57 a gate led on to nothing": f"""
        SELECT FROM {IN_LOOP} AND ti.task_id = loop ->> 'gate' AND ti.state = 'success'
            AND cardinality(ti.follow) > 0 AND NOT EXISTS (
                SELECT FROM task_instance AS next WHERE next.team_id = ti.team_id AND next.run_id = ti.run_id
                    AND next.task_id = ti.task_id AND next.map_index = ti.map_index + 1)""",
    "I58 more iterations than the bound": f"""
        SELECT FROM {IN_LOOP} AND ti.map_index >= (loop ->> 'max_iterations')::integer""",
}
CHECK: Final = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({text})" for name, text in INVARIANTS.items()
)


class Loops(Groups):
    def dag(self, dag_id: str) -> Dag:
        return with_loop(deciding_dag(self.chance, dag_id))

    def check(self) -> None:
        broken = [str(name) for (name,) in self.observer.execute(CHECK)]
        assert not broken, broken
        super().check()


def with_loop(dag: Dag) -> Dag:
    """The same DAG, where some tasks one after another are a loop, and nothing is mapped or a branch."""
    plain = [replace(each, mapping=None, branch=False, skips_all_below=False) for each in dag.tasks]
    begin = draw(plain[0], -1, "begin") % (len(plain) - 2)
    end = begin + 1 + draw(plain[0], -1, "size") % 3
    inside = [replace(each, loop=LOOP) for each in plain[begin:end]]
    names = {each.task_id for each in inside}
    last = inside[-1]
    others = sorted({each.task_id for each in inside[:-1]})
    inside[-1] = replace(last, upstream=tuple(sorted({*last.upstream, *others})))
    gate = Task(task_id="gate", kind=LOOP_GATE, upstream=(last.task_id,), loop=LOOP, doc=last.doc)
    behind = [
        replace(
            each,
            upstream=tuple(sorted({"gate" if name in names else name for name in each.upstream})),
        )
        for each in plain[end:]
    ]
    bound = 1 + draw(plain[0], -1, "bound") % BOUND
    loop = Loop(path=LOOP, gate="gate", result=last.task_id, max_iterations=bound)
    return replace(dag, tasks=(*plain[:begin], *inside, gate, *behind), loops=(loop,))
