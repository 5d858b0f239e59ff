from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from remediator.catalogue import publish, registry
from remediator.catalogue.pages import index_page, page
from tests.catalogue.toys import DimLamp, NoDemands, SmashLamp, TurnUp

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[2]


@pytest.fixture
def publisher(tmp_path: Path) -> Callable[..., int]:
    return lambda *arguments: publish.main(arguments, tmp_path)


def test_what_is_committed_is_what_the_fixes_say() -> None:
    assert publish.stale(publish.published(registry.all_fixes(), ROOT), ROOT) == [], (
        "run `python -m remediator.catalogue.publish`"
    )


def test_the_command_checks_this_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["publish", "--check"])
    monkeypatch.delitem(sys.modules, "remediator.catalogue.publish")
    with pytest.raises(SystemExit) as done:
        runpy.run_module("remediator.catalogue.publish", run_name="__main__")
    assert done.value.code == 0


def test_publishing_writes_all_and_then_finds_nothing_to_do(
    publisher: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert publisher() == 0
    assert capsys.readouterr().out.count("written: ") == len(registry.all_fixes()) + 2
    assert publisher("--check") == 0
    assert capsys.readouterr().out == ""
    assert (tmp_path / "docs/fixes/aws.ec2.close-port.md").read_text(encoding="utf-8").count("# ")


def test_a_check_tells_what_is_out_of_date_and_touches_nothing(
    publisher: Callable[..., int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publisher()
    capsys.readouterr()
    edited, removed = tmp_path / "docs/fixes/README.md", tmp_path / "docs/fixes/aws.ec2.close-port.md"
    edited.write_text("mine", encoding="utf-8")
    removed.unlink()
    assert publisher("--check") == 1
    assert capsys.readouterr().out == (
        "out of date: docs/fixes/README.md\nout of date: docs/fixes/aws.ec2.close-port.md\n"
    )
    assert edited.read_text(encoding="utf-8") == "mine"
    assert not removed.exists()


def test_pages_of_fixes_that_are_gone_go_too(publisher: Callable[..., int], tmp_path: Path) -> None:
    publisher()
    left = tmp_path / "docs/fixes/aws.s3.gone-again.md"
    left.write_text("gone", encoding="utf-8")
    assert publisher("--check") == 1
    assert publisher() == 0
    assert not left.exists()


def test_two_fixes_cannot_answer_one_finding() -> None:
    with pytest.raises(ValueError, match=r"both answer prowler:lamp_dark"):
        publish.catalogue([TurnUp(), NoDemands()])


def test_the_catalogue_knows_every_finding_with_what_it_implies() -> None:
    findings = publish.catalogue([TurnUp(), SmashLamp()])["findings"]
    assert findings == {
        "aws": {
            "prowler:lamp_bright": {"fix": "aws.lamp.smash-lamp", "parameters": {"name": "sun"}},
            "prowler:lamp_dark": {"fix": "aws.lamp.turn-up", "parameters": {}},
        }
    }


def test_a_card_says_whether_there_is_a_way_back() -> None:
    assert publish.card(TurnUp())["irreversible"] is None
    assert publish.card(SmashLamp())["irreversible"] == "A lamp can't be put together again."


def test_a_card_is_json() -> None:
    card = publish.card(TurnUp())
    assert json.loads(json.dumps(card)) == card
    assert card["reads"] == [{"actions": ["s3:GetBucketPublicAccessBlock"], "on": "target"}]
    assert card["writes"][1] == {"actions": ["s3:ListAllMyBuckets"], "on": "all"}


def test_a_page_tells_all_there_is_to_know() -> None:
    text = page(registry.load("aws.ec2.close-port"))
    for part in (
        "# Close a port of a security group to the internet\n",
        "`aws.ec2.close-port` · severity high",
        "New connections from the internet to the port are refused",
        "One security group:",
        "| `port` | The port to close. | integer 0 to 65535 | must be given |",
        '| `protocol` | Its protocol. | `"tcp"`, `"udp"` | `"tcp"` |',
        'Example 1 with `{"port": 22}`. Before:',
        "`ec2:RevokeSecurityGroupIngress` on the target",
        "`ec2:DescribeSecurityGroups` on all: the cloud knows no narrower",
        '| CloudSploit | `cloudsploit:openSSH` | `{"port": 22}` |',
        "A rollback writes it back",
    ):
        assert part in text


def test_a_page_of_a_fix_that_cannot_go_back_says_why() -> None:
    text = page(SmashLamp())
    assert "A lamp can't be put together again." in text
    assert "acknowledge_irreversible" in text


def test_a_page_without_parameters_says_so() -> None:
    assert "## Parameters\n\nNone.\n" in page(NoDemands())


def test_the_index_lists_every_fix_and_whether_it_can_go_back() -> None:
    text = index_page([TurnUp(), SmashLamp(), DimLamp()])
    assert "| [`aws.lamp.turn-up`](aws.lamp.turn-up.md) | AWS S3 bucket | Turn up a lamp | low | yes |" in text
    assert "| [`aws.lamp.smash-lamp`](aws.lamp.smash-lamp.md) | AWS account | Smash a lamp | low | no |" in text
    assert "| [`aws.lamp.dim-lamp`](aws.lamp.dim-lamp.md) | AWS account | Dim a lamp | low | not always |" in text
