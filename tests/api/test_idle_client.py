"""A client whose connection the server has closed while it was idle."""

import socket
import threading

from headway.client import Client

ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"


def test_a_change_is_sent_over_a_connection_that_is_open() -> None:
    """It is not repeated, so it must not be sent where nobody reads any more."""
    listener = socket.create_server(("127.0.0.1", 0))
    heard: list[bytes] = []
    closed = threading.Event()

    def serve() -> None:
        for _ in range(2):
            conn, _ = listener.accept()
            with conn:
                heard.append(conn.recv(1 << 16))
                conn.sendall(ANSWER)
            closed.set()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    client = Client(f"http://127.0.0.1:{listener.getsockname()[1]}", "token")
    for _ in range(2):
        client.delete_pool("mine")
        assert closed.wait(60)
    client.close()
    thread.join(60)
    listener.close()
    assert [text.split()[0] for text in heard] == [b"DELETE", b"DELETE"]
