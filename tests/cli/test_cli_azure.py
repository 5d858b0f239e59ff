"""The commands on Azure, each run as a person runs it: in a process of its own, against a cloud that stays up."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from remediator.catalogue import registry
from remediator.cli.exits import Exit
from remediator.core.windows import window_at
from tests.local.hosting import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

pytestmark = pytest.mark.xdist_group("embedded Azure's deployment")

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 100


@dataclass(frozen=True)
class Terminal:
    """Run the real command in another process, with the file that tells it where the cloud is, and without boto3."""

    file: Path

    def run(self, *words: str, stdin: str | None = None, here: bool = True) -> subprocess.CompletedProcess[str]:
        return subprocess.run(  # noqa: S603 - our own command
            [*WITHOUT_BOTO3, *words, *(("--account", str(self.file)) if here else ())],
            cwd=ROOT,
            env=ENVIRONMENT,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def told(self, *words: str, end: int = Exit.OK, stdin: str | None = None) -> Any:
        """Return the one JSON document that a command prints."""
        done = self.run(*words, "--json", stdin=stdin)
        assert done.returncode == end, done.stdout + done.stderr
        return json.loads(done.stdout)

    @property
    def described(self) -> Mapping[str, Any]:
        described: Mapping[str, Any] = json.loads(self.file.read_text())
        return described


COMMAND = (sys.executable, "-c", "from remediator.cli.main import main; main()")
WITHOUT_BOTO3 = (*COMMAND[:2], f"import sys; sys.modules['boto3'] = None; {COMMAND[2]}")
ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT / "functions"), "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """Start one cloud with the real command, and stop it as Ctrl-C does."""
    file = tmp_path_factory.mktemp("cloud") / "azure.json"
    words = [*COMMAND, "local", "up", "--cloud", "azure", "--json", str(file)]
    with subprocess.Popen(  # noqa: S603 - our own command
        words, cwd=ROOT, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert eventually(lambda: file.exists() or process.poll() is not None, PATIENCE)
            assert process.poll() is None, process.stdout and process.stdout.read()
            yield Terminal(file)
        finally:
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, output
    assert not file.exists()


@pytest.fixture(scope="module")
def seeded(terminal: Terminal) -> Any:
    """Make the mess twice: it is the same mess, once."""
    first, second = (terminal.told("local", "seed") for _ in range(2))
    assert first == second
    return first


@pytest.fixture(scope="module")
def applied(terminal: Terminal, seeded: Any) -> Any:
    return terminal.told("vendor", "apply", "-", stdin=json.dumps(seeded))


def outcomes(answer: Any) -> Sequence[str]:
    return [one["outcome"] for one in answer["results"]]


def test_the_file_is_its_owners_alone_and_says_what_an_outside_client_needs(terminal: Terminal) -> None:
    assert stat.S_IMODE(terminal.file.stat().st_mode) == 0o600
    told = terminal.described
    assert told["cloud"] == "azure"
    assert told["endpoint_url"].startswith("https://")
    assert told["seed_vault_url"].endswith(".vault.azure.net/")
    assert told["scope"] == f"{told['audience']}/.default"
    assert Path(told["ca_file"]).is_file()
    assert told["proxy_url"].startswith("http://127.0.0.1:")
    for whose in ("vendor", "operator", "admin"):
        assert told[f"{whose}_credentials"].keys() == {"tenant_id", "client_id", "client_secret", "object_id"}


def test_status_shows_an_open_gate_by_the_operators_own_rights(terminal: Terminal) -> None:
    shown = terminal.told("status")
    assert (shown["cloud"], shown["gate"], shown["control"], shown["endpoint"]) == ("azure", "open", "open", "open")
    assert shown["opens"] is None, "the operator reads seeds, and so must not see what is sealed"
    assert len(shown["staged"]) >= 4
    assert shown["window"] in shown["staged"]
    assert window_at(shown["closes_at"] - 61).number == max(shown["staged"])
    assert shown["deployment"]["Operator"] == terminal.described["operator_credentials"]["object_id"]
    assert {one["name"].removeprefix("remediator-"): one["state"] for one in shown["alarms"]}.items() >= {
        ("rotation-late", "OK"),
        ("wrong-code", "OK"),
    }
    text = terminal.run("status").stdout
    assert "● open" in text
    assert "westeurope" in text
    assert "STS" not in text


def test_the_mess_has_something_for_every_fix_and_innocents(seeded: Any) -> None:
    assert {one["fix"] for one in seeded["findings"]} == {fix.id for fix in registry.all_fixes("azure")}
    assert len(seeded["innocents"]) >= 2


def test_options_name_a_target_by_azures_own_id(terminal: Terminal, seeded: Any) -> None:
    [finding] = [one for one in seeded["findings"] if one["fix"] == "azure.disk.disable-public-network-access"]
    target = finding["target"]["id"]
    planned = terminal.told("vendor", "plan", "--fix", finding["fix"], "--target", target)
    assert set(outcomes(planned)) <= {"planned", "already_compliant"}, "as the other tests left it"
    assert planned["results"][0]["target"]["id"].lower() == target.lower()
    shown = terminal.run("vendor", "plan", "--fix", finding["fix"], "--target", target)
    assert (shown.returncode, target in shown.stdout) == (Exit.OK, True)


def test_the_vendor_repairs_everything_and_looks_again(terminal: Terminal, applied: Any) -> None:
    assert set(outcomes(applied)) == {"fixed"}
    again = terminal.told("vendor", "get", applied["id"])
    assert (again["id"], outcomes(again)) == (applied["id"], outcomes(applied))
    assert terminal.told("vendor", "refresh", applied["id"])["mode"] == "refresh"


def test_outputs_as_the_customer_hands_them_over_are_enough(terminal: Terminal, seeded: Any, tmp_path: Path) -> None:
    outputs = {name: {"type": "String", "value": one} for name, one in terminal.described["outputs"].items()}
    (tmp_path / "outputs.json").write_text(json.dumps(outputs))
    finding = json.dumps([seeded["findings"][0]])
    answer = terminal.told("vendor", "plan", "-", "--outputs", str(tmp_path / "outputs.json"), stdin=finding)
    assert answer["mode"] == "plan"


def test_a_receipt_is_shown_and_the_operator_takes_it_back(terminal: Terminal, applied: Any) -> None:
    [index] = [one["index"] for one in applied["results"] if one["fix"] == "azure.storage.require-https"]
    shown = terminal.told("show", f"{applied['id']}/{index}")
    assert shown["caller"] == {"id": terminal.described["vendor_credentials"]["object_id"], "role": "vendor"}
    [finding] = shown["findings"]
    assert (finding["before"], finding["after"]) == (False, True)
    assert finding["way_back"] == {"command": f"remediator rollback {applied['id']} --finding {index}"}
    back = terminal.told("rollback", f"{applied['id']}/{index}")
    assert outcomes(back) == ["rolled_back"]
    [entry] = terminal.told("history", "--caller", "operator", "--mode", "rollback")["entries"]
    assert (entry["receipt"], entry["undoes"]) == (f"{back['id']}/{index}", f"{applied['id']}/{index}")
    assert terminal.told("show", back["id"])["caller"]["role"] == "operator"


def test_the_way_back_past_the_gate_is_printed_in_azures_own_words(terminal: Terminal, applied: Any) -> None:
    [index] = [one["index"] for one in applied["results"] if one["fix"] == "azure.network.close-port"]
    [finding] = terminal.told("show", f"{applied['id']}/{index}", "--commands")["findings"]
    assert finding["way_back"]["setting"] == "as_left"
    [command] = finding["way_back"]["commands"]
    assert command.startswith("az rest --method PUT --uri 'https://management.azure.com/subscriptions/")
    assert "If-Match" in command
    assert '"name": "ssh"' in command
    text = terminal.run("show", f"{applied['id']}/{index}", "--commands").stdout
    assert command in text.splitlines(), "as it is pasted into a shell: on a line of its own"


def test_what_can_not_be_undone_says_why(terminal: Terminal, applied: Any) -> None:
    [index] = [one["index"] for one in applied["results"] if one["fix"] == "azure.keyvault.enable-purge-protection"]
    [finding] = terminal.told("show", f"{applied['id']}/{index}")["findings"]
    assert "never" in finding["way_back"]["none"] or "can't" in finding["way_back"]["none"]


def test_the_history_lists_what_was_done_by_the_operators_own_rights(terminal: Terminal, applied: Any) -> None:
    shown = terminal.told("history", "--mode", "apply", "--outcome", "fixed", "--caller", "vendor")["entries"]
    ours = [entry for entry in shown if entry["receipt"].startswith(applied["id"])]
    assert len(ours) == len(applied["results"])
    assert [entry["at"] for entry in shown] == sorted((entry["at"] for entry in shown), reverse=True)
    assert terminal.told("history", "--target", "*ACMEWEBSITE", "--since", "1h")["entries"]
    assert terminal.told("history", "--until", "1h")["entries"] == []
    rows = terminal.run("history", "--csv", "--fix", "azure.storage.require-https").stdout.splitlines()
    assert rows[0].startswith("at,receipt,mode,outcome,fix,target,")


def test_a_receipt_that_is_not_there_is_not_found(terminal: Terminal) -> None:
    error = terminal.told("show", "0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11", end=Exit.NOT_FOUND)["error"]
    assert "no receipt" in error["message"]
    assert error["next"]


def test_a_foreign_target_is_refused_with_3(terminal: Terminal) -> None:
    target = "/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/x/providers/Microsoft.Web/sites/y"
    words = ("--fix", "azure.webapp.require-https", "--target", target)
    assert outcomes(terminal.told("vendor", "plan", *words, end=Exit.REFUSED)) == ["refused"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("status", "--cloud", "azure"), "--subscription"),
        (("status", "--cloud", "azure", "--subscription", "x", "--resource-group", "y"), "no GUID"),
        (("status", "--cloud", "azure", "--profile", "x"), "--profile means nothing with --cloud azure"),
        (("status", "--subscription", "x"), "--subscription means nothing with --cloud aws"),
    ],
)
def test_a_place_that_nobody_can_find_is_a_usage_error_that_says_what_to_add(
    terminal: Terminal, words: Sequence[str], said: str
) -> None:
    done = terminal.run(*words, here=False)
    assert done.returncode == Exit.USAGE
    assert said in done.stderr


@pytest.mark.parametrize("words", [("--cloud", "aws"), ("--resource-group", "x"), ("--region", "eu-west-1")])
def test_what_contradicts_the_file_is_a_usage_error(terminal: Terminal, words: Sequence[str]) -> None:
    assert terminal.run("status", *words).returncode == Exit.USAGE
