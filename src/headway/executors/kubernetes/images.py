"""The digest of an image that a run uses: what its first pod got for the tag (ADR 68). Pure, but for ``Images``."""

import re
from collections.abc import Mapping
from typing import Any, Final

from headway.core.pod_overlay import CONTAINER
from headway.core.pod_policy import in_full
from headway.executors.base import Host
from headway.executors.kubernetes.pods import Pod
from headway.store import images
from headway.store.transact import transact

DIGEST: Final = re.compile(r"(?:[a-z-]+://)?(?P<repository>[^@]+)@(?P<digest>sha256:[0-9a-f]{64})")
KNOWN_MAX: Final = 20_000


def digest_of(image: str, image_id: str) -> str | None:
    """Return the digest that a node reports for an image; None where it says nothing that another node could pull.

    An image that somebody loaded onto the node has an id, and no digest in the repository that it is named after. Of
    one that names a digest itself there is nothing to be learnt.
    """
    found = DIGEST.fullmatch(image_id)
    if found is None or "@" in image or repository(found["repository"]) != repository(image):
        return None
    return found["digest"]


def repository(image: str) -> str:
    """Return the full name of an image, without its tag."""
    name = in_full(image)
    head, slash, last = name.rpartition("/")
    return f"{head}{slash}{last.partition(':')[0]}"


def pinned(pod: dict[str, Any], digests: Mapping[str, str]) -> dict[str, Any]:
    """Return the pod with the digest of its task's image, where that is known. The tag stays, for people."""
    containers = [
        {**each, "image": f"{each['image']}@{digests[each['image']]}"}
        if each["name"] == CONTAINER and each["image"] in digests
        else each
        for each in pod["spec"]["containers"]
    ]
    return {**pod, "spec": {**pod["spec"], "containers": containers}}


class Images:
    """Stores what pods were seen with, once for each image and digest of a run."""

    def __init__(self, host: Host) -> None:
        self.host = host
        self.known: dict[tuple[int, str, str, str], None] = {}

    def saw(self, team_id: int, run_id: str, pod: Pod) -> None:
        if pod.digest is None or (seen := (team_id, run_id, pod.image, pod.digest)) in self.known:
            return
        transact(self.host.conn, images.tell, *seen)
        self.known[seen] = None
        while len(self.known) > KNOWN_MAX:
            del self.known[next(iter(self.known))]
