"""Hold docs/protocol.md to the code, and its worked example to itself.

Every value of the example is computed again from the inputs that the page itself gives.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import struct
from pathlib import Path

import fastjsonschema
import pytest

from remediator.catalogue import registry
from remediator.catalogue.engine import Outcome
from remediator.core import messages, windows
from remediator.core.errors import Untrusted
from remediator.core.gate import gate_value, keys_of, pad_of, parse_fixed, verifier_of
from remediator.core.messages import COMPONENTS, Request, sign
from remediator.core.seeds import SeedRecord, parse_record, slot_of
from remediator.service import (
    answers,
    batch,
    endpoint,
    policy,
    policy_document,
    records,
    requests,
    restraint,
    roll_back,
    scope,
    work,
)
from remediator.service.endpoint import verbs_of
from remediator.service.problems import NAMESPACE, Problem
from remediator.service.requests import Role
from tests.core import rederived
from tests.core.document import TEXT, block, blocks, table
from tests.core.scene import Message

GIVEN = dict(table("given", "value"))
EXAMPLE = dict(table("value", "is"))
SEED = bytes.fromhex(GIVEN["seed, hexadecimal"])
DEPLOYMENT = GIVEN["deployment"]
NUMBER = int(GIVEN["window"])
CREATED = int(GIVEN["created"])
BODY = block("body").encode()
D, W = DEPLOYMENT.encode(), GIVEN["window"].encode()
DERIVED = rederived.derive(SEED, DEPLOYMENT, NUMBER)
COUNTER = struct.pack(">Q", NUMBER)
HASH = rederived.mac(SEED, COUNTER)
OFFSET = HASH[-1] & 15

EXPECTED = {
    "not_before": str(300 * NUMBER),
    "not_after": str(300 * NUMBER + 300),
    "slot": str(NUMBER % 6),
    "secret, base32": base64.b32encode(SEED).decode().strip("="),
    "counter of the code, 8 bytes": COUNTER.hex(),
    "HMAC of the counter": HASH.hex(),
    "offset, from the last four bits": str(OFFSET),
    "number, 31 bits from there": str(int.from_bytes(HASH[OFFSET : OFFSET + 4], "big") % 2**31),
    "code T": DERIVED.code,
    "lp for P": rederived.lp(b"remediator/v1/proof", D, W).hex(),
    "proof key P": DERIVED.proof_key.hex(),
    "lp for O": rederived.lp(b"remediator/v1/open", D, W).hex(),
    "opening O": DERIVED.opening.hex(),
    "lp for E": rederived.lp(b"remediator/v1/gate", D, W).hex(),
    "gate value E": DERIVED.gate_value,
    "lp for c": rederived.lp(b"remediator/v1/check", D, W, DERIVED.opening, DERIVED.code.encode()).hex(),
    "check c": DERIVED.check.hex(),
    "lp for the pad": rederived.lp(b"remediator/v1/seal", D, W).hex(),
    "pad": rederived.laid_over(bytes.fromhex(GIVEN["X of a sealed gate"]), DERIVED.mask).hex(),
}


def message() -> Message:
    """Return the message that the page shows, as it would arrive."""
    first, *lines = block("message").splitlines()
    method, path, _ = first.split(" ")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    return Message(method, path, headers, BODY)


def record() -> SeedRecord:
    return parse_record(block("record"))


@pytest.mark.parametrize("name", EXAMPLE)
def test_every_value_of_the_example_follows_from_the_pages_own_inputs(name: str) -> None:
    assert EXAMPLE[name] == EXPECTED[name]


def test_the_example_shows_every_step() -> None:
    assert list(EXAMPLE) == list(EXPECTED)
    names = ["record", "components", "request", "answer", "body", "openssl", "base", "message"]
    assert blocks() == names


def test_the_record_of_the_example_is_that_of_its_inputs() -> None:
    found = record()
    assert (found.deployment, found.window.number, found.seed.reveal()) == (DEPLOYMENT, NUMBER, SEED)
    assert json.loads(found.to_json()) == json.loads(block("record"))
    assert slot_of(found.window) == int(EXAMPLE["slot"])


def test_the_code_derives_what_the_example_says() -> None:
    keys, known = keys_of(record()), verifier_of(DEPLOYMENT, record().window, record().seed)
    assert keys.code.reveal().decode() == EXAMPLE["code T"]
    assert keys.opening.hex() == EXAMPLE["opening O"]
    assert keys.proof_key.reveal().hex() == known.proof_key.reveal().hex() == EXAMPLE["proof key P"]
    assert gate_value(DEPLOYMENT, record().window, keys.opening).text() == EXAMPLE["gate value E"]
    assert known.check.hex() == EXAMPLE["check c"]
    fixed = parse_fixed(GIVEN["X of a sealed gate"])
    assert pad_of(DEPLOYMENT, record().window, keys.opening, fixed).hex() == EXAMPLE["pad"]


def test_the_signature_base_of_the_example_is_that_of_its_message() -> None:
    shown = message()
    values = shown.headers | {"@method": GIVEN["method"], "@path": GIVEN["path"]}
    assert values["content-digest"] == rederived.digest_field(BODY)
    params = rederived.parameters(CREATED, NUMBER)
    assert block("base") == rederived.signature_base(values, params)
    assert shown.headers["signature-input"] == f"remediator={params}"
    assert shown.headers["signature"] == f"remediator=:{rederived.signature(DERIVED.proof_key, block('base'))}:"


def test_the_message_of_the_example_is_the_one_the_code_sends() -> None:
    fields = sign(Request(GIVEN["method"], GIVEN["path"], BODY, GIVEN["key"]), keys_of(record()), created=CREATED)
    assert message().headers == fields | {"content-type": "application/json"}


def test_the_message_of_the_example_is_accepted_when_the_page_says_and_no_second_longer() -> None:
    times = dict(table("it is accepted", "at"))
    first, last = int(times["from"]), int(times["up to"])
    for now in (first, CREATED, last):
        _accept(now)
    for now in (first - 1, last + 1):
        with pytest.raises(Untrusted):
            _accept(now)


def _accept(now: float) -> None:
    parsed = message().parsed()
    parsed.require_timely(now)
    known = verifier_of(DEPLOYMENT, record().window, record().seed)
    known.require(DEPLOYMENT, parsed.code, parsed.opening)
    parsed.require_signed(known.proof_key)


def test_the_body_of_the_example_is_as_long_as_the_page_says_and_fits_the_schema() -> None:
    assert f"The body, {len(BODY)} bytes without" in TEXT
    assert json.loads(BODY) == json.loads(block("request")) == requests.read_body(BODY, "RemediationRequest")


def test_the_shell_command_of_the_example_gives_the_proof_key() -> None:
    escaped, key = re.findall(r"printf '(.*)' \|\n.*hexkey:([0-9a-f]+)$", block("openssl"))[0]
    text = re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), escaped.encode())
    assert rederived.mac(bytes.fromhex(key), text).hex() == EXAMPLE["proof key P"]


def test_the_answer_of_the_example_fits_the_schema() -> None:
    answer = json.loads(block("answer"))
    document = requests.openapi()
    schema = {"$ref": "#/components/schemas/Remediation", "components": document["components"]}
    fastjsonschema.compile(schema)(answer)
    assert answer["id"] == GIVEN["key"]
    assert set(answer["results"][0]) <= set(document["components"]["schemas"]["Result"]["properties"])


def test_the_components_are_those_of_the_code() -> None:
    assert block("components") == " ".join(f'"{name}"' for name in COMPONENTS)


def test_the_parameters_are_those_of_the_code() -> None:
    listed = {name: needed == "yes" for name, _, needed in table("parameter", "value", "needed")}
    assert listed == {name: name not in messages._OPTIONAL for name in messages._PARAMETERS}


def test_the_formulas_name_the_labels_of_the_code() -> None:
    source = (Path(messages.__file__).parent / "gate.py").read_text()
    labels = set(re.findall(r'"(remediator/v1/[a-z]+)"', source))
    assert labels == set(re.findall(r'"(remediator/v1/[a-z]+)"', TEXT))
    assert len(labels) == 5


def test_the_problems_are_those_of_the_code() -> None:
    listed = [(name, int(status)) for name, status, _, _ in table("problem", "status", "when", "send again?")]
    assert listed == [(problem.name.lower(), problem.status) for problem in Problem]
    assert f"`{NAMESPACE}`" in TEXT


def test_the_outcomes_are_those_of_the_code() -> None:
    assert [name for name, _, _ in table("outcome", "meaning", "what to do")] == [one.value for one in Outcome]


def test_the_fixes_that_may_end_as_pending_are_those_of_the_catalogue() -> None:
    said = re.findall(r"\*\*`pending`\*\* may be the outcome of ([^:]+):", TEXT)
    named = [name for sentence in said for name in re.findall(r"`([a-z0-9.-]+)`", sentence)]
    assert sorted(named) == [fix.id for fix in registry.all_fixes() if fix.asynchronous]


MODULES = (scope, work, batch, roll_back, policy, restraint)


def test_the_reasons_are_those_of_the_code() -> None:
    sources = "".join(Path(str(module.__file__)).read_text() for module in MODULES)
    assert {code for code, _ in table("code", "meaning")} == set(re.findall(r'Reason\(\s*"([a-z_]+)"', sources))


def test_the_policy_s_members_and_defaults_are_those_of_the_code() -> None:
    rows = table("member", "default", "forbids")
    assert [name for name, _, _ in rows] == list(policy_document.MEMBERS)
    said = {name: json.loads(default.strip("`")) for name, default, _ in rows if default != "\N{EN DASH}"}
    assert said | {"version": 1} == policy_document.blank("aws") | policy_document.blank("azure")


def test_the_methods_paths_and_principals_are_those_of_the_code() -> None:
    rows = table("method", "path", "second lock", "reader", "operator")
    example = {"{id}": "0123456789abcdef", "{index}": "7"}
    routes = []
    for method, path, *_ in rows:
        concrete = re.sub(r"{\w+}", lambda part: example[part[0]], path)
        routes += [name for verb, pattern, name in endpoint._ROUTES if verb == method and pattern.fullmatch(concrete)]
    assert sorted(routes) == sorted(name for _, _, name in endpoint._ROUTES)
    assert [lock == "yes" for _, _, lock, _, _ in rows] == [method == "POST" for method, *_ in rows]
    verbs = verbs_of(vendor_rollback=False)
    for place, role in ((3, Role.READER), (4, Role.OPERATOR)):
        said = {verb.strip() for row in rows for verb in row[place].split(",")} - {"only if the deployment says so"}
        assert said == {verb.value for verb in verbs[role]}
    assert verbs_of(vendor_rollback=True)[Role.READER] - verbs[Role.READER] == {"rollback"}


def test_the_names_in_a_finding_are_those_of_the_schema() -> None:
    properties = requests.openapi()["components"]["schemas"]["Finding"]["properties"]
    assert [name for name, _, _ in table("name", "needed", "meaning")] == list(properties)


def test_the_limits_are_those_of_the_code() -> None:
    findings = requests.openapi()["components"]["schemas"]["RemediationRequest"]["properties"]["findings"]
    assert {name: int(value) for name, value in table("limit", "value")} == {
        "body, in bytes": requests.MAX_BODY,
        "findings in a request": findings["maxItems"],
        "requests of one principal in one window": records.MAX_REQUESTS,
        "findings of one principal in one window": records.MAX_FINDINGS,
        "bytes of results in one answer, above which states are links": answers.LARGEST_STATES,
        "characters of a change, above which it is too large": work.LARGEST_CHANGE,
        "seconds that one attempt works": records.LONGEST_RUN,
    }


def test_the_times_in_the_text_are_those_of_the_code() -> None:
    assert (windows.PERIOD, windows.GRACE, messages.CLOCK_TOLERANCE, records.TAKEOVER_MARGIN) == (300, 60, 60, 10)
    assert f"windows of {windows.PERIOD} seconds" in TEXT
    assert f"honoured for {windows.GRACE} seconds more" in TEXT
    assert f"at most {messages.CLOCK_TOLERANCE} seconds from the deployment's clock" in TEXT
    assert "`[300·w, 300·w + 360)`" in TEXT
    assert "(ten seconds after its deadline)" in TEXT


def test_the_paths_and_keys_in_the_text_are_those_of_the_code() -> None:
    assert f"`^{messages.PATH.pattern}$`" in TEXT
    assert messages.KEY.pattern == "[A-Za-z0-9-]{16,64}"
    assert hashlib.sha256(BODY).digest() == base64.b64decode(message().headers["content-digest"][9:-1])
