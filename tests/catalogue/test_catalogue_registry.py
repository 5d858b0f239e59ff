from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remediator.catalogue import registry
from remediator.catalogue.errors import UnknownFix
from tests.catalogue.toys import unhurried

FUNCTIONS = Path(registry.__file__).parents[2]


def test_a_fix_is_found_by_its_id() -> None:
    fix = registry.load("aws.s3.block-public-access")
    assert fix.id == "aws.s3.block-public-access"
    assert registry.load("aws.s3.block-public-access") is fix


@pytest.mark.parametrize(
    "fix_id",
    [
        "",
        "aws",
        "aws.s3",
        "aws.s3.resources",
        "aws.resources.block-it",
        "aws.ec2.rules",
        "aws.s3.block_public_access",
        "aws.s3.block-public-access\n",
        "aws.s3..block-public-access",
        "aws.s3.block-public-access.x",
        "AWS.s3.block-public-access",
        "aws.s3.blöck-public",
        "../../etc/passwd",
        "aws.s3.../../secret-file",
        "aws/s3/block-public-access",
        "gcp.s3.block-public-access",
        "aws.s3." + "-".join(["a"] * 50),
        "aws.s3.does-nothing",
        "aws.nosuch.does-nothing",
        "azure.storage.does-nothing",
        "os.path.join-it",
    ],
)
def test_what_is_not_the_id_of_a_fix_is_refused(fix_id: str) -> None:
    with pytest.raises(UnknownFix):
        registry.load(fix_id)


@unhurried
@given(st.text(max_size=60))
def test_no_text_imports_anything_but_a_fix(text: str) -> None:
    known = set(sys.modules)
    with pytest.raises(UnknownFix):
        registry.load(text)
    assert {name for name in set(sys.modules) - known if not name.startswith("remediator.catalogue")} == set()


def test_a_fix_that_cannot_be_imported_is_not_an_unknown_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise ModuleNotFoundError("No module named 'left_pad'", name="left_pad")

    monkeypatch.setattr(registry, "import_module", broken)
    with pytest.raises(ModuleNotFoundError, match="left_pad"):
        registry.load("aws.s3.needs-more")


def test_all_fixes_are_sorted_and_each_has_its_own_id() -> None:
    found = [fix.id for fix in registry.all_fixes()]
    assert found == sorted(set(found))
    assert "aws.ec2.close-port" in found
    assert [fix.id for fix in registry.all_fixes("aws")] == [fix_id for fix_id in found if fix_id.startswith("aws.")]
    assert registry.all_fixes("nowhere") == ()


def test_modules_beside_the_fixes_are_not_taken_for_fixes() -> None:
    assert not [fix for fix in registry.all_fixes() if fix.id in ("aws.ec2.rules", "aws.ec2.findings")]


def test_a_scanners_finding_finds_its_fix_and_says_what_it_implies() -> None:
    fix, implied = registry.answering("cloudsploit:openSSH")
    assert fix.id == "aws.ec2.close-port"
    assert implied == {"port": 22}


@pytest.mark.parametrize("finding", ["", "openSSH", "cloudsploit:", "cloudsploit:open SSH", "Cloudsploit:openSSH\n"])
def test_what_is_not_the_name_of_a_finding_is_refused_and_told_how_one_looks(finding: str) -> None:
    with pytest.raises(UnknownFix, match="such as cloudsploit:openSSH"):
        registry.answering(finding)


def test_a_finding_that_nothing_answers_is_refused_by_name() -> None:
    with pytest.raises(UnknownFix, match="no fix answers cloudsploit:openEverything"):
        registry.answering("cloudsploit:openEverything")


def test_looking_up_one_fix_imports_no_other_and_no_sdk() -> None:
    script = (
        "import json, sys; from remediator.catalogue import registry; registry.answering('security-hub:S3.8'); "
        "print(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", script], cwd=FUNCTIONS, check=True, capture_output=True, text=True
    )
    loaded = json.loads(done.stdout)
    fixes = [name for name in loaded if registry.ID.fullmatch(name.partition("catalogue.")[2].replace("_", "-"))]
    assert fixes == ["remediator.catalogue.aws.s3.block_public_access"]
    assert not [name for name in loaded if name.partition(".")[0] in ("boto3", "botocore", "mypy_boto3_s3", "pydantic")]
