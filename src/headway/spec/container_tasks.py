"""Tasks of the kind ``container``: any image, with nothing of Headway inside.

Command, arguments and environment become fields of the pod, so the scheduler must know them when it makes the pod, from
the spec alone. What it cannot know then, and what nobody but the task may see, goes into ``files``, which are written
beside the container.
"""

from collections.abc import Iterator, Mapping
from math import prod
from typing import Any, Final

from headway.core.pod_overlay import VARIABLE
from headway.core.pod_templates import flaw_of_template, param_names
from headway.core.pod_words import ENVIRONMENT
from headway.spec.carried import TAG
from headway.spec.errors import did_you_mean, listing
from headway.spec.model import Dag, Task

KIND: Final = "container"
EXECUTOR: Final = "kubernetes"  # unless another one is named
WORDS: Final = ("command", "args", "env")  # what is a part of the pod
ENTRIES_MAX: Final = 1_000

Trouble = tuple[str, str | None]  # what is wrong, and a hint

IN_FILES: Final = (
    'write it to a file of the container: files={"name": …}; a key of a Kubernetes secret may be '
    'a variable: secrets={"PASSWORD": "secret/key"}'
)
SIMPLE: Final = (
    "these may have {{ ds }}, {{ run_id }}, {{ params.day }} and other names of the run; "
    'the rest goes to a file of the container: files={"name": "{{ … }}"}'
)
UNKNOWN: Final = "is not text in the DAG file, and the pod is made without the file"
WHY: Final = {
    "object": UNKNOWN,
    "size": "is too large for a pod",
    "place": "holds the path of the DAG folder, which the container does not have",
    "private": "holds a value from the environment of the process that reads the file",
    "unstable": "holds the address of an object, which is another one each time",
}


def flaw_of_container_task(dag: Dag, task: Task) -> Trouble | None:
    return next(flaws(dag, task), None) if task.kind == KIND else None


def flaws(dag: Dag, task: Task) -> Iterator[Trouble]:
    if not task.image:
        yield "it has no image", 'name the image that runs: image="ghcr.io/acme/load:2.1"'
    if task.memory_limit_mb is not None:
        yield "memory_limit is for processes of agents", 'a container has memory: memory="1Gi"'
    if task.arguments is None:
        yield "nothing is known of its command", "load the file again"
        return
    for word, value in task.arguments.items():
        if word == "files":
            continue
        if word not in ("", *WORDS):
            yield from unknown(word, value)
        elif axis_of(task, word) is not None:
            yield from flaws_of_axis(dag, task, word, value)
        else:
            yield from flaws_of_word(dag, word, value)


def unknown(word: str, value: Any) -> Iterator[Trouble]:
    if isinstance(value, Mapping) and value.get("why") == "size":
        yield "its arguments are too large for a pod", IN_FILES
    else:
        hint = did_you_mean(word, WORDS)
        yield f'a container has no argument "{word}"', hint or f"it has {listing(WORDS)} and files"


def axis_of(task: Task, word: str) -> int | None:
    """Return the place of a word among what the task itself is mapped over."""
    if task.mapping is None or task.mapping.group:
        return None
    axes = [axis.argument for axis in task.mapping.axes]
    return axes.index(word) if word in axes else None


def flaws_of_axis(dag: Dag, task: Task, word: str, value: Any) -> Iterator[Trouble]:
    assert task.mapping is not None
    said = f"{word or 'expand_kwargs'} of a container is mapped over"
    items = plain(value)
    if not isinstance(items, list):
        over = "a result" if tag_of(value) == "result" else "what the file alone knows"
        yield f"{said} {over}, and the pod is made without it", IN_FILES
        return
    if any(axis.length is None for axis in task.mapping.axes):
        yield f"{said} a list together with a result, and the pod is made without that", IN_FILES
    for item in items:
        if word:
            yield from flaws_of_word(dag, word, item)
        elif not isinstance(item, Mapping) or TAG in item:
            yield f"{said} {reason_of(item)}", IN_FILES
        else:
            for name, given in item.items():
                if name in WORDS:
                    yield from flaws_of_word(dag, name, given)
                elif name != "files":
                    yield from unknown(name, given)


def flaws_of_word(dag: Dag, word: str, value: Any) -> Iterator[Trouble]:
    if value is None:
        return
    given = plain(value)
    if (tag := tag_of(given)) in ("absent", "result", "param"):
        if tag != "param":
            yield f"{word} {reason_of(given)}", IN_FILES
            return
        yield f"{word} is a parameter as a whole", "name the parts: each may have a parameter"
    elif word == "env":
        yield from flaws_of_env(dag, given)
    elif not isinstance(given, list):
        wanted = f'{word}=["sh", "-c", "echo {{{{ ds }}}}"]'
        yield f"{word} must be a list, one item for each word", f"for instance {wanted}"
    elif len(given) > ENTRIES_MAX:
        yield f"{word} has {len(given):,} items; the limit is {ENTRIES_MAX:,}", IN_FILES
    else:
        for number, item in enumerate(given):
            yield from flaws_of_text(dag, f"{word}[{number}]", item)


def flaws_of_env(dag: Dag, given: Any) -> Iterator[Trouble]:
    if not isinstance(given, Mapping) or TAG in given:
        yield "env must be a dict of variables", 'for instance env={"MODE": "full"}'
        return
    if len(given) > ENTRIES_MAX:
        yield f"env has {len(given):,} variables; the limit is {ENTRIES_MAX:,}", IN_FILES
    for name, value in given.items():
        if not ENVIRONMENT.fullmatch(name):
            yield f"env has {name[:100]!a}, which is not the name of a variable", None
        elif name.startswith(VARIABLE):
            yield f"env has {name}: variables that begin with {VARIABLE} are Headway's", None
        else:
            yield from flaws_of_text(dag, f'env["{name}"]', value)


def flaws_of_text(dag: Dag, where: str, value: Any) -> Iterator[Trouble]:
    tag = tag_of(value)
    if tag == "param":
        yield from flaws_of_params(dag, where, [value["name"]])
    elif tag is not None:
        yield f"{where} {reason_of(value)}", IN_FILES
    elif isinstance(value, str):
        if (why := flaw_of_template(value)) is not None:
            secret = why.endswith(("a connection", "a variable"))
            many = ", and many may read the object of a pod" if secret else ""
            yield f"{where}: {why}{many}", IN_FILES if secret else SIMPLE
        yield from flaws_of_params(dag, where, param_names(value))
    elif isinstance(value, bool) or not isinstance(value, (int, float)):
        yield f"{where} must be a text or a number, not {value!r:.100}", None


def flaws_of_params(dag: Dag, where: str, names: Any) -> Iterator[Trouble]:
    declared = {each.name for each in dag.params}
    for name in names:
        if name not in declared and not dag.open_params:
            hint = did_you_mean(name, declared) or f'declare it: params={{"{name}": …}}'
            yield f"{where} has the parameter {name}, which the DAG does not have", hint


def tag_of(value: Any) -> str | None:
    return value.get(TAG) if isinstance(value, Mapping) else None


def reason_of(value: Any) -> str:
    """Return why a value cannot be a part of a pod."""
    tag = tag_of(value)
    if tag == "result":
        return f"has the result of {value['task_id']}, and many may read the object of a pod"
    return WHY.get(value.get("why", ""), UNKNOWN) if tag == "absent" else UNKNOWN


def plain(value: Any) -> Any:
    """Return the items of a tuple as those of a list."""
    return value["value"] if tag_of(value) == "tuple" else value


def said(task: Task, map_index: int) -> dict[str, Any]:
    """Return what is a part of the pod of an instance, by word, as the file has it."""
    arguments = task.arguments or {}
    found: dict[str, Any] = {word: plain(arguments[word]) for word in WORDS if word in arguments}
    if task.mapping is None or task.mapping.group or map_index < 0:
        return found
    lengths = [axis.length or 0 for axis in task.mapping.axes]
    for word in ("", *WORDS):
        if (place := axis_of(task, word)) is None or word not in arguments:
            continue
        each = lengths[place]
        item = plain(arguments[word])[map_index // prod(lengths[place + 1 :]) % each]
        if word:
            found[word] = plain(item)
        else:
            found |= {name: plain(given) for name, given in item.items() if name in WORDS}
    return found
