"""The form in which people see what a task hands on, where that reveals a secret that the task was handed.

The agent makes it, because it knows the secrets of an attempt. The value itself stays whole: other tasks may need it.
It goes with its secrets, so that they are masked in the tasks that receive it, too. What only people read, and what is
told to other DAGs about assets, is masked itself.
"""

import dataclasses
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec.structs import replace

from headway.agent.attempts import End
from headway.agent.masking import MASK, Masker
from headway.agent.protocol import XCOM_INLINE_BYTES, AssetEvent, Deferral, Found, Grant, XComValue
from headway.core.waits.deferral import Awaited

SHELL: Final = "bash"
HIDDEN: Final = b'"***"'
TEXT: Final = MASK.decode()
KEY_FLAW: Final = (
    "the key of an XCom holds a secret that the task was handed, and everybody sees keys; "
    "choose another key"
)


def end(data: Path, grant: Grant, given: End, masker: Masker) -> End:
    """Return the end of an attempt without the secrets of ``masker`` where people see it."""
    if any(masker.holds(one.key.encode()) for one in given.xcoms):
        return End("failed", "result", KEY_FLAW, retry=False)
    bare = output if grant.kind == SHELL else result
    return dataclasses.replace(
        given,
        detail=masker.text(given.detail),
        xcoms=[bare(data, one, masker) for one in given.xcoms],
        assets=[event(one, masker) for one in given.assets],
        deferral=None if given.deferral is None else wait(given.deferral, masker),
        facts=replace(given.facts, reason=masker.text(given.facts.reason)),
    )


def output(data: Path, one: XComValue, masker: Masker) -> XComValue:
    """Mask the result of a command itself, in memory or in its file: it is a line of the command's output."""
    if one.file is not None:
        whole = (data / one.file).read_bytes()
        if not masker.holds(whole):
            return replace(one, secrets=[])
        masked = masker.hide(whole)
        (data / one.file).write_bytes(masked)
        return replace(one, size=len(masked), secrets=[])
    assert one.value is not None
    value = masker.hide(one.value)
    return replace(one, value=value, size=len(value))


def result(_: Path, one: XComValue, masker: Masker) -> XComValue:
    """Add to a result what people see of it, and its secrets."""
    if one.value is None:
        return replace(one, secrets=[each for each in one.secrets if each in masker.known])
    masked, secrets = masked_json(one.value, masker)
    if masked is None:
        return one
    fits = len(masked) <= XCOM_INLINE_BYTES
    return replace(one, shown=masked if fits else HIDDEN, secrets=sorted(secrets))


def event(one: AssetEvent, masker: Masker) -> AssetEvent:
    masked, _ = masked_json(one.extra, masker)
    if masked is not None:
        one = replace(one, extra=masked if masked.startswith(b"{") else b"{}")
    if one.alias:
        said, _ = masked_json(one.definition or b"{}", masker)
        known = one.definition if said is None else said if said.startswith(b"{") else None
        one = replace(one, asset=masker.text(one.asset), definition=known)
    return one if one.partition is None else replace(one, partition=masker.text(one.partition))


def wait(one: Deferral, masker: Masker) -> Deferral:
    """Mask what people see of a wait, and add the secrets in the rest, which is for the task and its trigger."""
    _, in_facts = masked_json(one.facts, masker)
    _, in_kwargs = masked_json(one.kwargs or b"null", masker)
    if not in_facts | in_kwargs:
        return one
    if one.kind == Awaited.ANSWER:  # people see all of it
        masked, _ = masked_json(one.facts, masker)
        return replace(one, facts=masked or one.facts, secrets=sorted(in_kwargs))
    facts = msgspec.json.decode(one.facts)
    if isinstance(facts, dict) and isinstance(facts.get("what"), str):
        facts["what"] = masker.text(facts["what"])
    return replace(one, facts=msgspec.json.encode(facts), secrets=sorted(in_facts | in_kwargs))


def found(one: Found, masker: Masker) -> Found:
    """Add to what a trigger found the form in which people see it, as the result of its task."""
    masked, secrets = masked_json(one.found or b"null", masker)
    return replace(one, shown=masked, secrets=sorted(secrets), error=masker.text(one.error))


def masked_json(body: bytes, masker: Masker) -> tuple[bytes | None, set[str]]:
    """Return JSON text without secrets, None if it has none; and the secrets that it has.

    They are also looked for in each text as it reads without the escapes of JSON, so that JSON inside JSON hides none.
    """
    if not masker.known:  # nothing was handed to the attempt: the credential of the agent is left
        return (HIDDEN, set()) if masker.holds(body) else (None, set())
    secrets = masker.held(body)
    try:
        value = msgspec.json.decode(body)
        bare = msgspec.json.encode(without(value, masker, secrets))
        if bare == msgspec.json.encode(value) and not masker.holds(bare):
            return None, set()
    except (msgspec.MsgspecError, RecursionError):
        return (HIDDEN, secrets) if masker.holds(body) else (None, set())
    masked = masker.hide(bare)
    return (bare if masked == bare else as_json(masked)), secrets


def as_json(text: bytes) -> bytes:
    """Return the text if it is still JSON, or a JSON text of it."""
    try:
        msgspec.json.decode(text)
    except msgspec.DecodeError:
        return msgspec.json.encode(text.decode())
    return text


def without(value: Any, masker: Masker, secrets: set[str]) -> Any:
    """Return the value without secrets in its texts, numbers and keys. Adds those found to ``secrets``."""
    match value:
        case str():
            raw = value.encode()
            if not masker.holds(raw):
                return value
            secrets |= masker.held(raw)
            return masker.text(value)
        case list():
            return [without(each, masker, secrets) for each in value]
        case dict():
            return {
                without(name, masker, secrets): without(each, masker, secrets)
                for name, each in value.items()
            }
        case int() | float() if not isinstance(value, bool):
            written = " ".join(ways(value)).encode()
            if not masker.holds(written):
                return value
            secrets |= masker.held(written)
            return TEXT
    return value


def ways(number: float) -> list[str]:
    """Return the ways to write a number, of which one may be the secret."""
    text = str(number)
    whole = isinstance(number, float) and number.is_integer()
    return [text, str(int(number))] if whole else [text]
