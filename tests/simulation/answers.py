"""A world in which half of the tasks ask a person on their way, once or twice. People answer what is open, what was
asked before, and the same question at once or again; the clock takes the default, or gives up. What becomes of a task
afterwards is as everywhere: it goes on in a process.
"""

from typing import Any, Final, LiteralString

import msgspec
from psycopg import Connection

from headway import wire
from headway.actions import answers
from headway.actions.answers import Answerer
from headway.agent.protocol import AttemptKey, Deferral
from headway.spec.model import Dag, Task
from headway.store.transact import Session
from tests.simulation.dags import draw
from tests.simulation.people import People
from tests.simulation.world import Connections, World

OPTIONS: Final = ("yes", "no")
NAMES: Final = ("ann", "bob")
KNOWN_MAX: Final = 12  # questions that people remember

OPEN: Final = """
    SELECT run_id, task_id, map_index, attempt || '.' || deferrals FROM wait
    WHERE kind = 'answer' AND NOT is_over ORDER BY since, run_id, task_id, map_index
"""
GIVEN: Final = """
    SELECT answered_by, chosen FROM answer
    WHERE run_id = %s AND task_id = %s AND map_index = %s AND attempt || '.' || deferrals = %s
"""
KEY: LiteralString = "team_id, run_id, task_id, map_index"
INVARIANTS: Final[dict[LiteralString, LiteralString]] = {
    "I38 answered, and still open": f"""
        SELECT FROM answer JOIN wait USING ({KEY}, attempt, deferrals) WHERE NOT wait.is_over""",
    "I38 an answer to a question that was never asked": """
        SELECT FROM answer LEFT JOIN attempt ON (attempt.team_id, attempt.run_id, attempt.task_id, attempt.map_index,
            attempt.number) = (answer.team_id, answer.run_id, answer.task_id, answer.map_index, answer.attempt)
        WHERE attempt.deferrals IS NULL OR attempt.deferrals < answer.deferrals""",
    "I38 answers and the moves that they made differ": f"""
        SELECT FROM (
            SELECT {KEY}, attempt, count(*) AS moves FROM event
            WHERE name = 'wake' AND reason ->> 'kind' IN ('answered', 'answered_by_default')
            GROUP BY {KEY}, attempt) AS moved
        FULL JOIN (SELECT {KEY}, attempt, count(*) AS answers FROM answer GROUP BY {KEY}, attempt) AS given
            USING ({KEY}, attempt)
        WHERE moves IS DISTINCT FROM answers""",
}
CHECK: LiteralString = " UNION ALL ".join(
    f"SELECT '{name}' WHERE EXISTS ({broken})" for name, broken in INVARIANTS.items()
)

Asked = tuple[str, str, int, str]


class Answers(World):
    def __init__(self, seed: int, connections: Connections, **options: Any) -> None:
        super().__init__(seed, connections, **options)
        self.people: Respondents = Respondents(self)

    def wait_of(self, key: AttemptKey, dag: Dag, task: Task) -> Deferral | None:
        if key.deferrals >= (0, 0, 1, 2)[draw(task, key.map_index, "asks") % 4]:
            return None
        which = draw(task, key.map_index, f"question {key.deferrals}")
        defaults = ["no"] if which % 2 else None
        facts = {"ask": "choose", "subject": "?", "options": OPTIONS, "defaults": defaults}
        body = msgspec.json.encode(facts)
        return Deferral("answer", body, timeout_s=9.0, overdue="resume", method="go_on")

    def check(self) -> None:
        super().check()
        broken = [name for (name,) in self.observer.execute(CHECK).fetchall()]
        assert broken == [], f"{broken}"
        for (question, who), chosen in self.people.taken.items():
            row = self.observer.execute(GIVEN, question).fetchone()
            assert row == (who, [chosen]), f"G3 {who} answered {question}, and stored is {row}"


class Respondents(People):
    """People who answer."""

    def __init__(self, world: Answers) -> None:
        super().__init__(world)
        self.known: list[Asked] = []
        self.taken: dict[tuple[Asked, str], str] = {}

    def act(self) -> None:
        conn = self.world.free_connection()
        if conn is None:
            return
        if self.chance.random() < 0.5:
            self.attempt(conn, self.answer)
        else:
            super().act()

    def answer(self, conn: Session) -> None:
        """What is open, or what somebody remembers: it may have an answer, or be asked again."""
        found: list[Any] = self.world.observer.execute(OPEN).fetchall()
        self.known = [*self.known, *(tuple(row) for row in found if tuple(row) not in self.known)]
        self.known = self.known[-KNOWN_MAX:]
        if not self.known:
            return
        asked_again = {tuple(row[:3]) for row in found}
        old = [each for each in self.known if each not in found and each[:3] in asked_again]
        question = self.chance.choice(old or self.known)
        run_id, task_id, index, asked = question
        chosen, name = self.chance.choice(OPTIONS), self.chance.choice(NAMES)
        request = wire.AnswerRequest(map_index=index, question=asked, chosen_options=[chosen])
        who = Answerer(f"user:{name}", name, "operator")
        graphs = self.world.graphs(conn)
        if self.do(conn, give, run_id, task_id, request, graphs, who):
            self.taken[question, who.actor] = chosen


def give(conn: Connection[Any], team_id: int, *rest: Any) -> bool:
    return answers.give(conn, team_id, *rest)
