"""``headway check`` and containers, which need more than a laptop has."""

from pathlib import Path

from tests.cli.conftest import headway

CONTAINERS = """
from headway import DAG, container

with DAG("pods"):
    container("load", image="ghcr.io/acme/load:2.1")
    container("more", image="ghcr.io/acme/load:2.1", command=["more"])

with DAG("others"):
    pass
"""


def test_check_says_that_containers_need_pods(tmp_path: Path) -> None:
    (tmp_path / "pods.py").write_text(CONTAINERS)
    noted = headway("check", "pods.py", cwd=tmp_path)
    assert noted.returncode == 0
    assert "pods.load and 1 more: a container runs in a pod, so the server needs" in noted.stderr
    assert "headway up --kubernetes FILE" in noted.stderr
    (tmp_path / "plain.py").write_text("from headway import DAG\n\nwith DAG('plain'):\n    pass\n")
    assert "a container" not in headway("check", "plain.py", cwd=tmp_path).stderr


def test_check_tells_what_cannot_be_in_a_pod_at_its_line(tmp_path: Path) -> None:
    bad = CONTAINERS.replace('["more"]', '["more", "{{ conn.x.password }}"]')
    (tmp_path / "pods.py").write_text(bad)
    refused = headway("check", "pods.py", cwd=tmp_path)
    assert refused.returncode == 2
    assert "pods.py:6: more: command[1]: {{ conn.x.password }} is a connection" in refused.stderr
    assert 'files={"name": …}' in refused.stderr
