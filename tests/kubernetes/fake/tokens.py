"""Tokens of service accounts, bound to a pod, and what TokenReview says of them."""

import secrets
from dataclasses import dataclass
from typing import Any

from tests.kubernetes.fake.kinds import ACCOUNT, POD
from tests.kubernetes.fake.status import Refused
from tests.kubernetes.fake.store import Store


@dataclass(frozen=True, slots=True)
class Issued:
    namespace: str
    account: str
    audiences: tuple[str, ...]
    pod: str
    uid: str


class Tokens:
    def __init__(self, store: Store) -> None:
        self.store = store
        self.issued: dict[str, Issued] = {}

    def issue(
        self, namespace: str, account: str, audiences: tuple[str, ...], pod: str = "", uid: str = ""
    ) -> str:
        self.store.get(ACCOUNT, namespace, account)
        token = secrets.token_urlsafe(24)
        self.issued[token] = Issued(namespace, account, audiences, pod, uid)
        return token

    def request(self, namespace: str, account: str, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a TokenRequest."""
        spec = body.get("spec", {})
        bound = spec.get("boundObjectRef") or {}
        if bound:
            pod = self.store.get(POD, namespace, bound["name"])
            if bound.get("uid") not in (None, pod["metadata"]["uid"]):
                raise Refused(
                    409, "Conflict", "the UID in the bound object reference does not match"
                )
            bound["uid"] = pod["metadata"]["uid"]
        audiences = tuple(spec.get("audiences") or ("api",))
        token = self.issue(
            namespace, account, audiences, bound.get("name", ""), bound.get("uid", "")
        )
        return {**body, "status": {"token": token}}

    def review(self, body: dict[str, Any]) -> dict[str, Any]:
        """Answer a TokenReview. A token bound to a pod is void when that is gone."""
        spec = body["spec"]
        found = self.issued.get(spec.get("token", ""))
        wanted = tuple(spec.get("audiences") or ("api",))
        both = [each for each in wanted if found is not None and each in found.audiences]
        if found is None or not both or not self.is_there(found):
            return {**body, "status": {"authenticated": False, "error": "invalid bearer token"}}
        extra = {}
        if found.pod:
            extra["authentication.kubernetes.io/pod-name"] = [found.pod]
            extra["authentication.kubernetes.io/pod-uid"] = [found.uid]
        who = f"system:serviceaccount:{found.namespace}:{found.account}"
        user = {"username": who, "extra": extra}
        return {**body, "status": {"authenticated": True, "user": user, "audiences": both}}

    def is_there(self, found: Issued) -> bool:
        if not found.pod:
            return True
        try:
            return bool(
                self.store.get(POD, found.namespace, found.pod)["metadata"]["uid"] == found.uid
            )
        except Refused:
            return False
