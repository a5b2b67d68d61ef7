"""What tells a request of our own pages from one of another site."""

import pytest

from headway.api.origins import has_foreign_body, is_from_here


@pytest.mark.parametrize(
    ("headers", "is_ours"),
    [
        ({"sec-fetch-site": "same-origin"}, True),
        ({"sec-fetch-site": "none"}, True),
        ({"sec-fetch-site": "same-site"}, False),
        ({"sec-fetch-site": "cross-site"}, False),
        ({"sec-fetch-site": ""}, False),
        ({"sec-fetch-site": "cross-site", "origin": "http://here", "host": "here"}, False),
        ({"sec-fetch-site": "same-origin", "origin": "http://evil", "host": "here"}, True),
        ({"origin": "https://here:8080", "host": "here:8080"}, True),
        ({"origin": "https://HERE", "host": "Here"}, True),
        ({"origin": "https://here:8080", "host": "here"}, False),
        ({"origin": "https://evil.example", "host": "here"}, False),
        ({"origin": "https://here.evil.example", "host": "here"}, False),
        ({"origin": "null", "host": "here"}, False),
        ({"origin": "null"}, False),  # neither names a place
        ({"origin": "http://x"}, False),
        ({"origin": "", "host": ""}, False),
    ],
)
def test_where_a_request_comes_from(headers: dict[str, str], is_ours: bool) -> None:
    assert is_from_here(headers, unknown=True) is is_ours
    assert is_from_here(headers, unknown=False) is is_ours


@pytest.mark.parametrize("unknown", [True, False])
def test_headers_that_say_nothing_leave_it_to_the_caller(unknown: bool) -> None:
    assert is_from_here({"host": "here"}, unknown=unknown) is unknown


@pytest.mark.parametrize(
    ("headers", "is_foreign"),
    [
        ({}, False),
        ({"content-length": "0"}, False),
        ({"content-length": "0", "content-type": "text/plain"}, False),
        ({"content-length": "2"}, True),
        ({"content-length": "2", "content-type": "text/plain"}, True),
        ({"content-length": "2", "content-type": "application/x-www-form-urlencoded"}, True),
        ({"content-length": "2", "content-type": "text/plain; application/json"}, True),
        ({"content-length": "2", "content-type": "application/json"}, False),
        ({"content-length": "2", "content-type": " Application/JSON ; charset=utf-8"}, False),
        ({"transfer-encoding": "chunked"}, True),
        ({"transfer-encoding": "chunked", "content-type": "application/json"}, False),
    ],
)
def test_only_json_is_a_body_of_ours(headers: dict[str, str], is_foreign: bool) -> None:
    assert has_foreign_body(headers) is is_foreign
