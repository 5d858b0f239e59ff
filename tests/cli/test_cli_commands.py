from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from typer.main import get_command

from remediator.aws.receipt_items import finding_item, record_item
from remediator.catalogue import registry
from remediator.catalogue.engine import Change, Outcome
from remediator.cli import main as entry
from remediator.cli import views
from remediator.cli.exits import MEANING, Exit
from remediator.core.windows import window_at
from remediator.operator.evidence import Evidence
from remediator.service.problems import Problem
from remediator.service.records import Finding, Mode, Record, State
from tests.cli.conftest import ACCOUNT, REGION, document, gate_statement
from tests.vendor.speaking import FINDING, problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.cli.conftest import Deployed
    from tests.vendor.speaking import Speaker

ID = "0b7f6c1e-9a51-4f58-a7ce-2f4f5d1f4a11"
BUCKET = ("--fix", FINDING["fix"], "--target", FINDING["target"]["arn"], "--target-region", REGION)


def commands() -> Iterator[tuple[str, ...]]:
    """Return every command there is, by its words; a group of them isn't one."""

    def walk(group: Any, *words: str) -> Iterator[tuple[str, ...]]:
        for name, one in group.commands.items():
            if hasattr(one, "commands"):
                yield from walk(one, *words, name)
            else:
                yield (*words, name)

    return walk(get_command(entry.app))


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_teaches_with_an_example(run: Any, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "Example" in result.stdout
    assert f"remediator {' '.join(words)}" in " ".join(result.stdout.split())
    assert "--json" in result.stdout


def test_steps_are_offered_by_the_commands_that_call_the_endpoint_alone(run: Any) -> None:
    offering = {words[0] for words in commands() if "--verbose" in run(*words, "--help").stdout}
    assert offering == {"status", "doctor", "rollback", "code", "vendor", "demo"}
    assert run("history", "--verbose").exit_code == Exit.USAGE


def test_the_help_lists_every_exit_code(run: Any) -> None:
    text = " ".join(run("--help").stdout.split())
    for exit_code in Exit:
        assert f"{exit_code.value} {MEANING[exit_code]}" in text


def test_help_loads_neither_an_sdk_nor_the_emulator_nor_a_fix() -> None:
    code = (
        "import sys; from remediator.cli.main import app; app(['vendor', '--help'], standalone_mode=False);"
        "heavy = {'azure', 'boto3', 'botocore', 'moto', 'fastjsonschema', 'aws_cdk', 'remediator.catalogue.aws'};"
        "print(sorted(heavy & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603 - ours
    assert done.stderr.strip() == "[]"


def test_an_unknown_command_is_a_usage_error(run: Any) -> None:
    assert run("dance").exit_code == Exit.USAGE


class TestFixes:
    def test_the_list_has_every_fix_of_the_catalogue(self, run: Any) -> None:
        result = run("fixes", "list", "--json")
        assert result.exit_code == 0
        assert [fix["id"] for fix in document(result)["fixes"]] == sorted(registry.cards()["fixes"])

    def test_a_scanner_narrows_the_list_to_what_answers_it(self, run: Any) -> None:
        shown = run("fixes", "list", "--scanner", "prowler").stdout
        assert "kms_cmk_rotation_enabled" in shown
        assert document(run("fixes", "list", "--scanner", "nobody", "--json")) == {"fixes": []}

    def test_a_fix_is_shown_with_consequence_permissions_and_an_example(self, run: Any) -> None:
        shown = run("fixes", "show", "aws.s3.require-tls").stdout
        for word in ("plain HTTP", "s3:PutBucketPolicy", "bucketEncryptionInTransit", "remediator vendor plan --fix"):
            assert word in shown

    def test_a_scanners_finding_finds_its_fix_and_what_it_implies(self, run: Any) -> None:
        shown = document(run("fixes", "show", "cloudsploit:openRDP", "--json"))["fixes"]
        assert ("aws.ec2.close-port", {"port": 3389}) in [(fix["id"], fix["implied"]) for fix in shown]

    def test_a_fix_of_its_own_id_implies_nothing(self, run: Any) -> None:
        [shown] = document(run("fixes", "show", "aws.ec2.close-port", "--json"))["fixes"]
        assert (shown["id"], shown["implied"]) == ("aws.ec2.close-port", {})

    @pytest.mark.parametrize("name", ["aws.s3.fly", "prowler:nothing", "x"])
    def test_an_unknown_fix_is_not_found(self, run: Any, name: str) -> None:
        result = run("fixes", "show", name)
        assert result.exit_code == Exit.NOT_FOUND
        assert name in result.stderr
        assert "remediator fixes list" in result.stderr


@pytest.mark.usefixtures("deployed")
class TestVendor:
    def test_a_plan_shows_what_would_change(self, run: Any) -> None:
        result = run("vendor", "plan", *BUCKET)
        assert result.exit_code == 0
        assert "BlockPublicAcls" in result.stdout

    def test_json_is_the_answer_as_it_came_and_nothing_else(
        self, run: Any, deployed: Deployed, speaker: Speaker
    ) -> None:
        result = run("vendor", "apply", *BUCKET, "--json", "--verbose")
        answer = document(result)
        assert (answer["mode"], answer["results"][0]["outcome"]) == ("apply", "fixed")
        body = json.loads(speaker.received[0].body)
        assert body == {"mode": "apply", "findings": [FINDING]}
        assert "assumed arn:aws:iam::" in result.stderr
        assert deployed.outputs["ReaderRoleArn"] in result.stderr

    def test_verbose_shows_steps_and_no_secret(self, run: Any, speaker: Speaker) -> None:
        result = run("vendor", "plan", *BUCKET, "--verbose")
        sent = speaker.received[0].headers
        for name in ("remediation-code", "remediation-opening", "signature", "x-amz-security-token", "authorization"):
            assert sent[name] not in result.output
        assert "POST /v1/remediations" in result.stderr

    def test_options_name_parameters_and_several_targets(self, run: Any, speaker: Speaker) -> None:
        targets = ("--target", "arn:a", "--target", "arn:b")
        options = ("--parameter", "port=22", "--parameter", "protocol=tcp", "--parameter", "also=[1]")
        run("vendor", "plan", "--finding", "prowler:x", *targets, *options, "--acknowledge-irreversible")
        parameters = {"port": 22, "protocol": "tcp", "also": [1]}
        shared = {"finding": "prowler:x", "parameters": parameters, "acknowledge_irreversible": True}
        expected = [{"target": {"arn": arn}} | shared for arn in ("arn:a", "arn:b")]
        assert json.loads(speaker.received[0].body)["findings"] == expected

    def test_a_target_that_has_more_to_say_than_an_arn_is_json(self, run: Any, speaker: Speaker) -> None:
        target = {"arn": "arn:aws:iam::1:user/robot", "access_key": "AKIAIOSFODNN7EXAMPLE"}
        run("vendor", "plan", "--fix", "aws.iam.deactivate-access-key", "--target", json.dumps(target))
        assert json.loads(speaker.received[0].body)["findings"][0]["target"] == target
        assert views.name_of(target) == "arn:aws:iam::1:user/robot (AKIAIOSFODNN7EXAMPLE)"

    @pytest.mark.parametrize("wrap", [lambda one: [one], lambda one: {"findings": [one], "more": 1}])
    def test_findings_come_from_standard_input_or_a_file(
        self, run: Any, speaker: Speaker, tmp_path: Path, wrap: Any
    ) -> None:
        text = json.dumps(wrap(FINDING))
        (tmp_path / "findings.json").write_text(text)
        assert run("vendor", "plan", "-", stdin=text).exit_code == 0
        assert run("vendor", "plan", str(tmp_path / "findings.json")).exit_code == 0
        assert [json.loads(one.body)["findings"] for one in speaker.received] == [[FINDING]] * 2

    @pytest.mark.parametrize("under_its_name", [True, False])
    def test_the_outputs_that_the_customer_gave_are_enough(
        self, run: Any, deployed: Deployed, tmp_path: Path, under_its_name: Any
    ) -> None:
        deployed.client("cloudformation").delete_stack(StackName="Remediator")
        given = {"Remediator": deployed.outputs} if under_its_name else deployed.outputs
        (tmp_path / "outputs.json").write_text(json.dumps(given))
        assert run("vendor", "plan", *BUCKET, "--outputs", str(tmp_path / "outputs.json")).exit_code == 0

    def test_outputs_of_something_else_are_said_to_be_that(self, run: Any, tmp_path: Path) -> None:
        (tmp_path / "outputs.json").write_text('{"Bucket": "b"}')
        result = run("vendor", "plan", *BUCKET, "--outputs", str(tmp_path / "outputs.json"))
        assert result.exit_code == Exit.NOT_FOUND
        assert "outputs lack Deployment" in result.stderr

    def test_a_key_that_no_request_has_is_a_usage_error(self, run: Any, speaker: Speaker) -> None:
        assert run("vendor", "plan", *BUCKET, "--key", "short").exit_code == Exit.USAGE
        assert speaker.received == []

    def test_get_looks_again(self, run: Any) -> None:
        assert document(run("vendor", "get", ID, "--json"))["id"] == ID

    def test_something_not_fixed_ends_with_1_and_the_answer(self, run: Any, speaker: Speaker) -> None:
        reason = {"code": "AccessDenied", "message": "the bucket's policy denies it"}
        result_of_one = {
            "index": 0,
            "outcome": "failed",
            "calls": [],
            "fix": "f",
            "target": {"arn": "a"},
            "reason": reason,
        }
        speaker.script.append((200, {}, {"id": ID, "mode": "apply", "state": "done", "results": [result_of_one]}))
        result = run("vendor", "apply", *BUCKET)
        assert result.exit_code == Exit.NOT_FIXED
        assert "AccessDenied: the bucket's policy denies it" in result.stdout

    def test_what_policy_refuses_ends_with_3_and_each_reason(self, run: Any, speaker: Speaker) -> None:
        reason = {"code": "other_account", "message": "no"}
        result_of_one = {
            "index": 0,
            "outcome": "refused",
            "calls": [],
            "fix": "f",
            "target": {"arn": "a"},
            "reason": reason,
        }
        results: dict[str, Any] = {"id": ID, "mode": "plan", "state": "done", "results": [result_of_one]}
        speaker.script += [problem(Problem.REFUSED, **results)] * 2
        assert "other_account" in run("vendor", "plan", *BUCKET).stdout
        result = run("vendor", "plan", *BUCKET, "--json")
        assert result.exit_code == Exit.REFUSED
        assert document(result)["results"] == [result_of_one]

    @pytest.mark.parametrize(
        ("kind", "end"),
        [
            (Problem.INVALID_REQUEST, Exit.REFUSED),
            (Problem.FORBIDDEN, Exit.REFUSED),
            (Problem.KEY_REUSED, Exit.REFUSED),
            (Problem.NOT_FOUND, Exit.NOT_FOUND),
            (Problem.FROZEN, Exit.NOT_NOW),
        ],
    )
    def test_a_problem_ends_with_its_exit_and_says_what_to_do(
        self, run: Any, speaker: Speaker, kind: Problem, end: Exit
    ) -> None:
        speaker.script += [problem(kind, detail="as it is")] * 2
        result = run("vendor", "apply", *BUCKET)
        assert result.exit_code == end
        assert result.stdout == ""
        assert f"{kind.title} (as it is)" in result.stderr
        error = document(run("vendor", "apply", *BUCKET, "--json", "--key", ID))["error"]
        assert (error["exit"], error["key"]) == (end, ID if end is Exit.NOT_NOW else None)
        assert error["next"]

    def test_the_function_urls_refusal_ends_with_3(self, run: Any, speaker: Speaker) -> None:
        speaker.script.append((403, {}, {"Message": "Forbidden"}))
        result = run("vendor", "plan", *BUCKET)
        assert (result.exit_code, "function URL" in result.stderr) == (Exit.REFUSED, True)


class TestUsage:
    """None of these has an account to ask: asking would end with another exit."""

    @pytest.mark.parametrize(
        ("words", "stdin"),
        [
            ((), None),
            (("--fix", "a"), None),
            (("--target", "a"), None),
            (("--fix", "a", "--finding", "b", "--target", "c"), None),
            (("--fix", "a", "--target", "b", "--parameter", "22"), None),
            (("--fix", "a", "--target", '{"arn": '), None),
            (("-", *BUCKET), "[]"),
            (("-",), "hello"),
            (("-",), "[]"),
            (("-",), "{}"),
            (("-",), '[{"fix": "a"}]'),
            (("-",), '[{"fix": "a", "target": {}, "colour": 1}]'),
            (("-",), '["a"]'),
            (("no-such-file.json",), None),
        ],
    )
    def test_what_nobody_can_mean_is_a_usage_error_and_asks_nothing(
        self, run: Any, words: tuple[str, ...], stdin: str | None
    ) -> None:
        result = run("vendor", "plan", *words, stdin=stdin)
        assert result.exit_code == Exit.USAGE, result.output
        assert "Traceback" not in result.output


class TestPlaces:
    @pytest.mark.usefixtures("deployed")
    def test_a_stack_that_is_not_there_is_not_found(self, run: Any) -> None:
        result = run("status", "--stack", "Other")
        assert result.exit_code == Exit.NOT_FOUND
        assert f"no stack Other in {REGION}" in result.stderr

    def test_a_profile_that_is_not_there_is_not_found(self, run: Any) -> None:
        result = run("status", "--profile", "nobody")
        assert result.exit_code == Exit.NOT_FOUND
        assert "nobody" in result.stderr

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("{", "isn't JSON"),
            ("[]", "credentials"),
            ('{"cloud": "mars"}', "credentials"),
            ('{"aws_endpoint_url": "x"}', "credentials"),
            ('{"cloud": "azure"}', "environment"),
        ],
    )
    def test_an_account_file_that_is_none_is_a_usage_error(
        self, run: Any, tmp_path: Path, text: str, said: str
    ) -> None:
        (tmp_path / "account.json").write_text(text)
        result = run("status", "--account", str(tmp_path / "account.json"))
        assert result.exit_code == Exit.USAGE
        assert said in result.stderr


@pytest.mark.usefixtures("deployed")
class TestStatus:
    def test_an_open_gate_is_shown_with_windows_rotation_and_alarms(self, run: Any, deployed: Deployed) -> None:
        deployed.client("cloudwatch").put_metric_alarm(
            AlarmName="remediator-wrong-code",
            AlarmDescription="somebody guessed",
            MetricName="WrongCode",
            Namespace="Remediator",
            Period=60,
            EvaluationPeriods=1,
            Statistic="Sum",
            Threshold=1,
            ComparisonOperator="GreaterThanOrEqualToThreshold",
        )
        result = run("status")
        assert result.exit_code == 0
        assert "● open" in result.stdout
        shown = document(run("status", "--json"))
        assert (shown["gate"], shown["control"], shown["endpoint"]) == ("open", "open", "open")
        assert shown["staged"] == shown["opens"] == [window.number for window in deployed.windows]
        newest = deployed.windows[-1]
        assert shown["closes_at"] == newest.closes
        assert shown["last_rotation"] == [(newest + -3).not_before, (newest + -3).not_after]
        assert [alarm["name"] for alarm in shown["alarms"]] == ["remediator-wrong-code"]
        assert shown["deployment"] == deployed.outputs

    def test_a_frozen_deployment_is_not_now(self, run: Any, deployed: Deployed) -> None:
        deployed.put("remediator-state", pk="control", state="frozen")
        result = run("status")
        assert (result.exit_code, "frozen" in result.stdout) == (Exit.NOT_NOW, True)

    def test_a_gate_that_only_the_state_table_knows_is_closed(self, run: Any, deployed: Deployed) -> None:
        deployed.trust(gate_statement(946684800, 946685160))
        result = run("status", "--json")
        assert result.exit_code == Exit.NOT_NOW
        assert (document(result)["gate"], document(result)["opens"]) == ("closed", [])
        assert "aws lambda invoke --function-name remediator-rotate" in run("status").stdout

    def test_verbose_shows_the_call(self, run: Any) -> None:
        assert "GET /v1/health" in run("status", "--verbose").stderr

    def test_a_window_that_is_not_staged_closes_the_gate(self, run: Any, deployed: Deployed) -> None:
        for window in deployed.windows[:-1]:
            key = {"pk": {"S": f"window/{window}"}}
            deployed.client("dynamodb").delete_item(TableName="remediator-state", Key=key)
        assert document(run("status", "--json"))["gate"] == "closed"

    def test_a_gate_that_anybody_may_come_to_is_named_too(self, run: Any, deployed: Deployed) -> None:
        window = window_at(time.time())
        deployed.trust({**gate_statement(window.not_before, window.closes), "Principal": "*"})
        assert document(run("status", "--json"))["foreign_principals"] == ["*"]

    def test_a_deployment_that_never_rotated_says_so(self, run: Any, deployed: Deployed) -> None:
        deployed.trust(gate_statement(946684800, 946684801))
        for key in ("control", *(f"window/{window}" for window in deployed.windows)):
            deployed.client("dynamodb").delete_item(TableName="remediator-state", Key={"pk": {"S": key}})
        shown = document(run("status", "--json"))
        assert (shown["control"], shown["last_rotation"], shown["closes_at"]) == (None, None, None)
        assert "never" in run("status").stdout

    def test_a_principal_that_is_not_ours_is_named_before_all_else(self, run: Any, deployed: Deployed) -> None:
        window = window_at(time.time())
        stranger = f"arn:aws:iam::{ACCOUNT}:role/stranger"
        ours = [gate_statement(one.not_before, one.closes) for one in deployed.windows]
        deployed.trust(*ours, gate_statement(window.not_before, window.closes, stranger))
        result = run("status", "--json")
        assert result.exit_code == Exit.NOT_NOW
        assert (document(result)["gate"], document(result)["foreign_principals"]) == ("foreign", [stranger])
        assert stranger in run("status").stdout


class TestEvidence:
    @pytest.fixture
    def receipt(self, deployed: Deployed) -> str:
        now = int(time.time())
        record = Record(ID, "d", "AROAREADER", Mode.APPLY, State.DONE, 1, now, now, 1, now)
        finding = Finding(
            remediation=ID,
            index=0,
            fix="aws.kms.enable-rotation",
            target={"arn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{ID}"},
            parameters={"period_days": 180},
            at=now,
            outcome=Outcome.FIXED,
            change=Change({"enabled": False, "period_days": None}, {"enabled": True, "period_days": 180}),
            calls=("kms:EnableKeyRotation",),
            finding="prowler:kms_cmk_rotation_enabled",
            reference="ticket-7",
        )
        for item in (record_item(record, 0), finding_item(finding, record, 0)):
            deployed.client("dynamodb").put_item(TableName="remediator-receipts", Item=item)
        return f"{ID}/0"

    def test_a_receipt_shows_the_difference_who_when_and_the_way_back(self, run: Any, receipt: str) -> None:
        result = run("show", receipt)
        assert result.exit_code == 0
        for word in (
            "~ enabled false → true",
            "+ period_days 180",
            "the vendor (AROAREADER)",
            "kms:EnableKeyRotation",
            "prowler:kms_cmk_rotation_enabled",
            "ticket-7",
            f"remediator rollback {ID} --finding 0",
        ):
            assert word in result.stdout

    def test_json_has_the_same(self, run: Any, receipt: str) -> None:
        shown = document(run("show", receipt, "--json"))
        [finding] = shown["findings"]
        assert shown["caller"] == {"id": "AROAREADER", "role": "vendor"}
        assert [(line["kind"], line["path"]) for line in finding["changes"]] == [
            ("changed", "enabled"),
            ("added", "period_days"),
        ]
        assert finding["way_back"] == {"command": f"remediator rollback {ID} --finding 0"}

    def test_the_way_back_past_the_gate_is_printed_in_awss_own_words(self, run: Any, receipt: str) -> None:
        shown = document(run("show", receipt, "--commands", "--json"))["findings"][0]["way_back"]
        assert (shown["setting"], shown["whole"]) == ("unread", True), "there is no such key to be read"
        [command] = shown["commands"]
        words = "aws kms disable-key-rotation --region eu-west-1 --cli-input-json"
        assert command == f"""{words} '{{"KeyId": "{ID}"}}'"""
        text = run("show", receipt, "--commands").stdout
        assert command in text.splitlines(), "as it is pasted into a shell: on a line of its own"
        assert "see first that it is still as it was left" in text

    def test_no_command_is_printed_unless_asked_for(self, run: Any, receipt: str) -> None:
        assert "commands" not in document(run("show", receipt, "--json"))["findings"][0]["way_back"]

    def test_a_remediations_id_shows_all_of_its_findings(self, run: Any, receipt: str) -> None:
        assert document(run("show", receipt.partition("/")[0], "--json"))["findings"][0]["receipt"] == receipt

    @pytest.mark.parametrize("other", [f"{ID}/7", f"{ID[:-1]}2", f"{ID[:-1]}2/0"])
    def test_a_receipt_that_is_not_there_is_not_found(self, run: Any, receipt: str, other: str) -> None:
        assert receipt
        assert run("show", other).exit_code == Exit.NOT_FOUND

    @pytest.mark.parametrize("text", ["short", f"{ID}/", f"{ID}/x", f"{ID}/1234", "../../etc/passwd00000"])
    def test_what_no_receipt_is_called_is_a_usage_error(self, run: Any, text: str) -> None:
        assert run("show", text).exit_code == Exit.USAGE


@pytest.mark.parametrize(
    ("mode", "outcome", "fix", "said"),
    [
        (Mode.PLAN, Outcome.PLANNED, "aws.kms.enable-rotation", "a plan isn't rolled back"),
        (Mode.ROLLBACK, Outcome.ROLLED_BACK, "aws.kms.enable-rotation", "a rollback isn't rolled back"),
        (Mode.APPLY, Outcome.ALREADY_COMPLIANT, "aws.kms.enable-rotation", "nothing was changed"),
        (Mode.APPLY, Outcome.FIXED, "aws.kms.of-yesterday", "doesn't know the fix any more"),
    ],
)
def test_where_there_is_no_way_back_it_is_said_why(mode: Mode, outcome: Outcome, fix: str, said: str) -> None:
    record = Record(ID, "d", "AROAREADER", mode, State.DONE, 1, 0, 0, 1, 0)
    change = Change(1, 2)
    finding = Finding(remediation=ID, index=0, fix=fix, target={}, parameters={}, at=0, outcome=outcome, change=change)
    command, why = Evidence(record, [finding], "vendor").way_back(finding)
    assert command is None
    assert said in why


@pytest.mark.usefixtures("deployed")
class TestRollback:
    def test_the_operator_signs_a_rollback_like_any_caller(self, run: Any, speaker: Speaker) -> None:
        result = run("rollback", ID, "--finding", "3", "--finding", "1", "--json")
        assert result.exit_code == 0, result.output
        [request] = speaker.received
        assert request.path == f"/v1/remediations/{ID}/rollback"
        assert json.loads(request.body) == {"findings": [1, 3]}
        assert request.window == window_at(time.time())

    def test_a_receipts_id_chooses_its_finding(self, run: Any, speaker: Speaker) -> None:
        run("rollback", f"{ID}/7")
        assert json.loads(speaker.received[0].body) == {"findings": [7]}

    def test_what_somebody_changed_since_ends_with_1(self, run: Any, speaker: Speaker) -> None:
        drifted = {"index": 0, "outcome": "drifted", "calls": [], "fix": "f", "target": {"arn": "a"}}
        speaker.script.append((200, {}, {"id": ID, "mode": "rollback", "state": "done", "results": [drifted]}))
        result = run("rollback", ID)
        assert (result.exit_code, "drifted" in result.stdout) == (Exit.NOT_FIXED, True)

    def test_what_had_been_taken_back_already_shows_no_change(self, run: Any, speaker: Speaker) -> None:
        done = {"index": 0, "calls": [], "fix": "f", "target": {"arn": "a"}, "before": True, "after": False}
        for outcome in ("rolled_back", "already_rolled_back"):
            results = [{"outcome": outcome, **done}]
            speaker.script.append((200, {}, {"id": ID, "mode": "rollback", "state": "done", "results": results}))
        assert "true → false" in run("rollback", ID).stdout
        assert "true → false" not in run("rollback", ID).stdout

    def test_while_frozen_the_way_that_needs_no_gate_is_named(self, run: Any, speaker: Speaker) -> None:
        speaker.script.append(problem(Problem.FROZEN))
        result = run("rollback", f"{ID}/7", "--key", ID)
        assert result.exit_code == Exit.NOT_NOW
        assert f"remediator show {ID}/7 --commands" in result.stderr
        assert f"--key {ID}" in result.stderr


@pytest.mark.parametrize(("colour", "expected"), [({"NO_COLOR": "1"}, False), ({"FORCE_COLOR": "1"}, True)])
def test_colours_follow_the_environment(colour: dict[str, str], expected: Any) -> None:
    words = [str(Path(sys.executable).with_name("remediator")), "fixes", "list"]
    environment = {name: value for name, value in os.environ.items() if "COLOR" not in name} | colour
    done = subprocess.run(words, capture_output=True, text=True, check=True, env=environment)  # noqa: S603 - ours
    assert ("\x1b[" in done.stdout) is expected


def test_a_defect_is_shown_whole_and_ends_with_an_exit_of_its_own(monkeypatch: pytest.MonkeyPatch, capfd: Any) -> None:
    def broken() -> None:
        raise KeyError("a defect")

    monkeypatch.setattr(entry, "app", broken)
    with pytest.raises(SystemExit) as ended:
        entry.main()
    assert ended.value.code == Exit.DEFECT
    assert "KeyError" in capfd.readouterr().err
