"""The words of Kubernetes for containers that do not start, and for ends that a kubelet brings. Pure."""

from typing import Final

# The image, or what the container is made of: nothing but a change of the DAG or of the cluster helps.
STUCK: Final = {
    "ErrImagePull": "image",
    "ImagePullBackOff": "image",
    "InvalidImageName": "image",
    "ErrImageNeverPull": "image",
    "CreateContainerConfigError": "container",
    "CreateContainerError": "container",
    "RunContainerError": "container",
}
AT_ONCE: Final = ("InvalidImageName", "ErrImageNeverPull")  # waiting longer changes nothing
ENDED_BY_SIGNAL: Final = (137, 143)  # exit codes of SIGKILL and SIGTERM


def lack_of_memory(limit: str) -> str:
    """Return the words for ``OOMKilled``. ``limit``: of the container; empty: it is not known."""
    return f"OOMKilled: it used more than its limit{f' of {limit}' if limit else ''}"
