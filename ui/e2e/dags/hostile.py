"""Everything a page has to bear: markup in every word, colours, bytes that are no text, a long log."""

import sys

from headway import dag, task

IMAGE = "<img src=x onerror=alert(1)>"


@dag(tags=[IMAGE], owner=IMAGE, description="<script>alert('description')</script>")
def hostile(word: str = "<script>alert('parameter')</script>"):
    @task
    def shout(word: str) -> dict[str, str]:
        print("\x1b]0;pwned\x07\x1b]8;;javascript:alert(1)\x07a link\x1b]8;;\x07", word)
        print("\x1b[31mred\x1b[0m and https://example.org/page?a=<script>")
        sys.stdout.flush()
        sys.stdout.buffer.write(b"no text: \xff\xfe\n")
        sys.stdout.buffer.flush()
        print("WARNING it is late")
        for number in range(3000):
            print(f"INFO line {number} of many")
        return {"<b>key</b>": word}

    @task
    def fail(got: dict[str, str]) -> None:
        raise ValueError(f"{IMAGE} {got['<b>key</b>']}")

    @task
    def after(_: None) -> None: ...

    after(fail(shout(word)))


hostile()
