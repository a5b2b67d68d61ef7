"""``headway answer``: answer the question of a task that waits for a person."""

from typing import Annotated, Any

import typer

from headway import config, wire
from headway.cli.options import Data, RunId
from headway.cli.output import line
from headway.cli.params import texts_of
from headway.cli.terminal import say
from headway.core.words import listed
from headway.errors import Conflict

Options = Annotated[
    list[str] | None,
    typer.Argument(metavar="[OPTION]…", help="What to choose: approve, reject, or an option."),
]
Values = Annotated[
    list[str] | None,
    typer.Option("-p", "--param", metavar="NAME=VALUE", help="Value to fill in. Can be repeated."),
]


def answer(
    run_id: RunId,
    task: str,
    options: Options = None,
    params: Values = None,
    index: Annotated[int, typer.Option("--index", help="Map index of a mapped task.")] = -1,
    data: Data = None,
) -> None:
    """Answer the question of a task that waits for a person. Without an option or value, show the question."""
    from headway.client import client_of

    client = client_of(config.layout(data))
    instance = client.instance(run_id, task, index)
    asked = next((each for each in instance.questions if each.answer is None), None)
    if not options and not params:
        if asked is None:
            raise Conflict(
                f"`{task}` asks nothing now: it is {instance.state}",
                hint="to list open questions: headway question ls",
            )
        for text in described(asked):
            line(text)
        return
    request = wire.AnswerRequest(
        map_index=index,
        question=None if asked is None else asked.id,
        chosen_options=chosen(asked, options or []),
        params_input=values(asked, texts_of(params)),
    )
    after = client.answer(instance.run_id, task, request)
    what = listed(after.questions[0].answer.chosen_options) if after.questions[0].answer else ""
    say(f"answered {task} of run {after.run_id}: {what}; it is {after.state}")


def chosen(asked: wire.Question | None, given: list[str]) -> list[str]:
    """Return the options that are meant, whatever their case."""
    if asked is None:
        return given
    known = {option.casefold(): option for option in asked.options}
    return [known.get(text.casefold(), text) for text in given]


def values(asked: wire.Question | None, texts: dict[str, str]) -> dict[str, Any]:
    from headway.spec.params import values_from_text

    return values_from_text([] if asked is None else asked.params, texts)


def described(asked: wire.Question) -> list[str]:
    """Return the question as lines, and the commands that answer it."""
    from headway.cli.output import cell

    lines = [asked.subject, *(f"  {text}" for text in asked.body.splitlines())]
    for param in asked.params:
        about = param.description or param.title
        default = "" if param.required else f", default {param.default!r}"
        lines.append(f"  -p {param.name}=…  {param.type}{default}{f': {about}' if about else ''}")
    if asked.ends_at is not None:
        then = "the defaults hold" if asked.has_default else "the task fails"
        lines.append(f"  until {cell(asked.ends_at)}; then {then}")
    if who := [*asked.assigned_users, *(f"role {role}" for role in asked.assigned_roles)]:
        lines.append(f"  only {listed(who, 10)} may answer")
    place = f"{asked.run_id[:6]} {asked.task_id}"
    more = f" --index {asked.map_index}" if asked.map_index >= 0 else ""
    for option in asked.options:
        lines.append(f"to answer: headway answer {place} {quoted(option)}{more}")
    return lines


def quoted(option: str) -> str:
    import shlex

    return shlex.quote(option)
