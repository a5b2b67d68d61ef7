"""One person for each role, and the ways in which a request says who it is."""

from tests.api.browser import API, Browser
from tests.api.conftest import TOKEN

ROLES = ("viewer", "operator", "author", "admin")
PASSWORD = "correct horse battery"


def local(url: str) -> Browser:
    """Whoever can read the data directory."""
    return Browser(url, headers={"Authorization": f"Bearer {TOKEN}"})


def bearer(url: str, token: str) -> Browser:
    return Browser(url, headers={"Authorization": f"Bearer {token}"})


def create(url: str, name: str, role: str) -> None:
    user = {"name": name, "role": role, "password": PASSWORD}
    answer = local(url).ask("POST", f"{API}/users", user)
    assert answer.status == 201, answer.body


def token(url: str, user: str, role: str, name: str = "test") -> str:
    asked = {"name": name, "user": user, "role": role}
    answer = local(url).ask("POST", f"{API}/tokens", asked)
    assert answer.status == 201, answer.body
    return str(answer.json["token"])


def signed_in(url: str, name: str) -> Browser:
    browser = Browser(url)
    assert browser.sign_in(name, PASSWORD).status == 200
    return browser
