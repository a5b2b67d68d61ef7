"""What the Terraform example hands to the chart is what the chart takes."""

import re
import shutil
import subprocess

import pytest

from headway.executors.kubernetes import chart
from headway.executors.kubernetes.install import Install
from tests.tidy.tree import ROOT

FILE = ROOT / "deploy/terraform/aws/main.tf"
TEXT = FILE.read_text()
usual = Install(image="headway:1")


def test_its_values_are_values_of_the_chart() -> None:
    (given,) = re.findall(r"yamlencode\(\{\n(.*?)\n  \}\)\n\}", TEXT, re.DOTALL)[:1]
    names = set(re.findall(r"^    (\w+) += ", given, re.MULTILINE))
    assert "walStore" in names
    assert names <= chart.values(chart.WHOLE).keys()


def test_its_secrets_are_those_that_the_chart_reads() -> None:
    named = dict(re.findall(r'^    (\w+) += "(headway-[a-z-]+)"$', TEXT, re.MULTILINE))
    assert named == {
        "logs": usual.log_store_secret,
        "backups": usual.backup_store_secret,
        "wal": usual.wal_store_secret,
    }


@pytest.mark.skipif(shutil.which("terraform") is None, reason="terraform is not installed")
def test_it_is_formatted() -> None:
    subprocess.run(["terraform", "fmt", "-check", str(FILE)], check=True, capture_output=True)
