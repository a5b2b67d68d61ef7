"""The inside of a triggerer."""

import asyncio
import os
import socket
from threading import Event

import pytest

from headway.agent import triggerer as module
from headway.agent.child import Server
from headway.agent.frames import FrameReader, frame
from headway.agent.trigger_asking import Asking
from headway.agent.triggerer import Triggerer
from headway.agent.triggerers import SECRETS_MAX, SECRETS_S, Owner, Triggerers
from headway.agent.waiting import Home
from headway.agent.waiting import Triggerer as Process
from headway.agent.watching import UP, UPWARD_BYTES_MAX, Board, Said


def test_what_a_thread_tells_while_the_rest_is_sent_is_sent_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asyncio.run(tell_while_the_rest_is_sent(monkeypatch))


async def tell_while_the_rest_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thread has begun to tell when the loop sends what there is, and adds to it when all is sent."""
    begun, sent = Event(), Event()

    def slow(body: bytes) -> bytes:
        if b"second" in body:
            begun.set()
            sent.wait()
        return frame(body)

    monkeypatch.setattr(module, "frame", slow)
    ours, theirs = socket.socketpair()
    memory = os.memfd_create("board")
    os.truncate(memory, os.sysconf("SC_PAGE_SIZE"))
    with ours, theirs:
        theirs.setblocking(False)
        server: Server = None  # type: ignore[assignment]  # nothing is imported
        asking: Asking = None  # type: ignore[assignment]  # nobody asks
        triggerer = Triggerer(ours, server, Board(memory), asking)
        triggerer.loop = asyncio.get_running_loop()
        triggerer.tell(Said(1, "first"))
        thread = asyncio.create_task(asyncio.to_thread(triggerer.tell, Said(1, "second")))
        await asyncio.to_thread(begun.wait)
        sent.set()
        await thread
        await asyncio.sleep(0)  # what the thread has scheduled
        reader = FrameReader(UPWARD_BYTES_MAX)
        told = [UP.decode(body) for body in reader.feed(theirs.recv(1 << 16))]
    os.close(memory)
    assert told == [Said(1, "first"), Said(1, "second")]


def test_a_process_that_was_handed_many_secrets_is_replaced_now_and_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By one that knows none: what it says is searched for all of them."""
    owner: Owner = None  # type: ignore[assignment]  # nothing is told
    triggerers = Triggerers(owner)
    closed: list[Process] = []
    monkeypatch.setattr(triggerers, "close", closed.append)
    monkeypatch.setattr(triggerers, "look_soon", lambda: None)
    old, young, bare = (Process(Home("v", file)) for file in ("old.py", "young.py", "bare.py"))
    for each in (old, young):
        each.masker.known = {f"secret-{number}": set() for number in range(SECRETS_MAX + 1)}
    bare.masker.known = {f"secret-{number}": set() for number in range(SECRETS_MAX)}
    young.forked_at = 1.0
    for each in (old, young, bare):
        triggerers.renew(each, SECRETS_S + 0.5)
    assert closed == [old]
