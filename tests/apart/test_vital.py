"""The health of a component that nobody supervises: by its main loop, not by the thread that answers."""

import httpx
import pytest

from headway import pulse
from headway.up.component import SILENCE_S_MAX
from headway.up.vital import Vital, answer_on


def test_a_main_loop_that_stands_still_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pulse, "_line", -1)
    monkeypatch.setattr(pulse, "_due_at", 0.0)
    vital = Vital()
    server = answer_on(0, vital.trouble)
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert httpx.get(f"{url}/healthz").status_code == 200
        vital.heard_at -= SILENCE_S_MAX + 1
        answer = httpx.get(f"{url}/healthz")
        assert (answer.status_code, answer.text[:15]) == (503, "no sign of life")
        pulse.beat()
        assert httpx.get(f"{url}/healthz").status_code == 200
        assert httpx.get(f"{url}/").status_code == 404
    finally:
        server.shutdown()
        server.server_close()
