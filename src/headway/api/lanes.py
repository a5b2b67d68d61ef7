"""Threads for the store's work. Each lane (a team, or a credential that is not known yet) has its turn, and none
has all threads: who floods one waits for their own requests, and those of the others go on.
"""

from collections import Counter, OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Lock
from typing import Any, Final, TypeVar

from headway.errors import RateLimited

WAITING_MAX: Final = 200  # of one lane

T = TypeVar("T")
Job = tuple[Future[Any], Callable[[], Any]]


class Lanes:
    def __init__(self, threads: int, name: str) -> None:
        self.free = threads
        self.width = max(1, threads - 1)  # of one lane
        self.threads = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self.waiting: OrderedDict[Hashable, deque[Job]] = OrderedDict()  # whose turn is next first
        self.running: Counter[Hashable] = Counter()
        self.lock = Lock()
        self.is_open = True

    def submit(self, lane: Hashable, work: Callable[[], T]) -> Future[T]:
        """Do ``work`` on a thread. Raises RateLimited when too much of the lane waits already."""
        job: Future[T] = Future()
        with self.lock:
            line = self.waiting.setdefault(lane, deque())
            if len(line) >= WAITING_MAX:
                raise RateLimited(
                    f"{WAITING_MAX} requests of this team or token wait for the database already",
                    hint="send fewer requests at the same time",
                )
            line.append((job, work))
            self.begin()
        return job

    def begin(self) -> None:
        """Give free threads to the lanes in turn. The caller has the lock."""
        for lane in [*self.waiting]:
            if not self.free or not self.is_open:
                return
            if self.running[lane] >= self.width:
                continue
            line = self.waiting[lane]
            job, work = line.popleft()
            if line:
                self.waiting.move_to_end(lane)
            else:
                del self.waiting[lane]
            self.free -= 1
            self.running[lane] += 1
            self.threads.submit(self.do, lane, job, work)

    def do(self, lane: Hashable, job: Future[Any], work: Callable[[], Any]) -> None:
        if job.set_running_or_notify_cancel():
            try:
                job.set_result(work())
            except BaseException as error:
                job.set_exception(error)
        with self.lock:
            self.free += 1
            self.running[lane] -= 1
            if not self.running[lane]:
                del self.running[lane]
            self.begin()

    def close(self) -> None:
        """Wait for what runs; what waits is not begun."""
        with self.lock:
            self.is_open = False
            for line in self.waiting.values():
                for job, _ in line:
                    job.cancel()
            self.waiting.clear()
        self.threads.shutdown()
