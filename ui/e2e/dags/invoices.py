"""Fails: one of its mapped tasks, always, after a retry; what follows is blocked."""

from datetime import timedelta

from headway import dag, task


@dag(tags=["shop"], owner="finance", description="Invoices that do not add up")
def invoices():
    @task
    def months() -> list[int]:
        return [1, 2, 3, 4]

    @task(retries=1, retry_delay=timedelta(seconds=1))
    def book(month: int) -> int:
        print("booking month", month)
        if month == 3:
            raise ValueError(f"month {month}: 12 invoices without a customer")
        return month

    @task
    def close(booked: list[int]) -> int:
        return sum(booked)

    close(book.expand(month=months()))


invoices()
