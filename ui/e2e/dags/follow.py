"""Talks slowly, so that a log can be followed; cancelled by who has seen enough."""

import time

from headway import dag, task


@dag(tags=["ops"], description="A long task that says what it does")
def follow(lines: int = 600):
    @task
    def talk(lines: int) -> None:
        for number in range(lines):
            print(f"line {number}: <script>alert(1)</script> \x1b[32mgreen\x1b[0m", flush=True)
            time.sleep(0.1)

    talk(lines)


follow()
