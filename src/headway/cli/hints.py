"""Commands that a text names, with the place this command line named: ``--team`` and ``--data``.

A hint that leads to another team, or to another server, is wrong. So no message adds the options by itself: all
messages pass here on their way out. What the environment names needs no repetition.
"""

import re
import shlex
from typing import Any, Final

import typer

GIVEN: Final[dict[str, str]] = {}  # by option, as typed
NAMED: Final = re.compile(r"(?<![\w./-])headway(?= [a-z])")
END: Final = re.compile(r"[;,)`\n]")
WORD: Final = re.compile(r" ([a-z][a-z-]*)")


def forget() -> None:
    GIVEN.clear()


def note(context: typer.Context, name: str, value: object) -> None:
    """Keep an option for the hints, if it was typed and not read from the environment."""
    source = context.get_parameter_source(name)
    if value is not None and source is not None and source.name == "COMMANDLINE":
        GIVEN[f"--{name}"] = str(value)


def placed(text: str) -> str:
    """Return the text; each command in it that takes an option of this command line gets it, unless it has it."""
    if not GIVEN:
        return text
    parts, done = [], 0
    commands = list(NAMED.finditer(text))
    for at, found in enumerate(commands):
        until = commands[at + 1].start() if at + 1 < len(commands) else len(text)
        command, end = command_at(text, found.end())
        if command is None:
            continue
        arguments = END.split(text[end:until], maxsplit=1)[0].split()
        missing = [name for name in options_of(command) if name not in arguments]
        parts.append(text[done:end])
        parts += [f" {name} {shlex.quote(GIVEN[name])}" for name in missing]
        done = end
    return "".join([*parts, text[done:]])


def command_at(text: str, start: int) -> tuple[Any, int]:
    """Return the command whose words follow, and where they end; None: there is no such command."""
    from headway.cli.app import COMMANDS, tree

    first = WORD.match(text, start)
    if first is None or first[1] not in COMMANDS:
        return None, start
    command: Any = tree([first[1]])
    end = start
    while (subcommands := getattr(command, "commands", None)) is not None:
        word = WORD.match(text, end)
        if word is None or word[1] not in subcommands:
            return None, start
        command, end = subcommands[word[1]], word.end()
    return command, end


def options_of(command: Any) -> list[str]:
    """Return which options of this command line the command takes, too; an own ``--team`` may mean something else."""
    shared = {
        f"--{parameter.name}": parameter.name != "team" or not parameter.expose_value
        for parameter in command.params
    }
    return [name for name in ("--team", "--data") if name in GIVEN and shared.get(name)]
