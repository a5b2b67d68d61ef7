"""The client's calls for questions of tasks to people."""

from headway import wire
from headway.client.connection import Connection, segment


class Questions(Connection):
    def questions(
        self, dag_id: str | None = None, run_id: str | None = None
    ) -> list[wire.Question]:
        return list(
            self.all_pages("/questions", wire.Question, {"dag_id": dag_id, "run_id": run_id})
        )

    def question_count(self) -> wire.QuestionCount:
        return self.get("/question-count", wire.QuestionCount)

    def answer(
        self, run_id: str, task_id: str, request: wire.AnswerRequest
    ) -> wire.TaskInstanceDetail:
        path = f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/answer"
        return self.post(path, request, wire.TaskInstanceDetail)

    def create_answer_link(
        self, run_id: str, task_id: str, request: wire.AnswerLinkRequest
    ) -> wire.NewRunLink:
        path = f"/runs/{segment(run_id)}/task-instances/{segment(task_id)}/answer-links"
        return self.post(path, request, wire.NewRunLink)
