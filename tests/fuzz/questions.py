"""Make up requests from the OpenAPI document: what it allows, what it doesn't, and how each is signed."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Final

import schemathesis
from hypothesis import strategies as st
from schemathesis import GenerationMode

from remediator.service.requests import openapi

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from schemathesis import Case

    from remediator.vendor.findings import Finding


class Locks(Enum):
    """Say how a request gets past the two locks, or doesn't."""

    BOTH = "the cloud knows who calls, and the signature is over what is sent"
    FIRST = "the cloud knows who calls; the second lock's fields are whatever was made up"
    HALF = "signed, then one of the fields replaced by what was made up"
    OTHER_BODY = "signed over another body, with this one's digest"
    NONE = "nobody signs anything"


SECOND_LOCK: Final = (
    "content-digest",
    "idempotency-key",
    "remediation-code",
    "remediation-opening",
    "signature-input",
    "signature",
)
METHODS: Final = ("GET", "POST", "PUT", "DELETE", "PATCH")
_REFERENCES: Final = st.text(st.characters(), max_size=20)
"""Any characters, those that no UTF-8 can hold among them: JSON escapes them."""


@dataclass(frozen=True)
class Question:
    """Hold one request before it is signed. `chosen` is the field that `HALF` replaces."""

    case: Case[Any]
    method: str
    locks: Locks
    operator: bool
    body: bytes
    chosen: str

    @property
    def path(self) -> str:
        return str(self.case.formatted_path)

    @property
    def query(self) -> Mapping[str, Any]:
        return dict(self.case.query or {})

    @property
    def made_up(self) -> dict[str, str]:
        """The header fields that were made up, under lower-case names."""
        return {name.lower(): str(value) for name, value in (self.case.headers or {}).items()}


def questions(findings: Sequence[Finding], ids: Sequence[str], cards: Sequence[Mapping[str, Any]]) -> st.SearchStrategy:
    """Return requests by the document as it is, and by one narrowed to what is there: few by chance alone get far."""
    wide, narrow = openapi(), narrowed(findings, ids, cards)
    return st.one_of(*(_asked(case) for document in (wide, narrow, narrow) for case in _cases(document)))


def narrowed(findings: Sequence[Finding], ids: Sequence[str], cards: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the document with the ids and fixes that exist, and with targets that do."""
    document: dict[str, Any] = copy.deepcopy(openapi())
    components = document["components"]
    components["parameters"]["Id"]["schema"] = {"type": "string", "enum": list(ids)}
    one = components["schemas"]["Finding"]["properties"]
    known = [_closed(finding.document()) for finding in findings]
    by_card = [
        {
            "type": "object",
            "additionalProperties": False,
            "required": ["fix", "target"],
            "properties": {
                "fix": {"const": card["id"]},
                "target": card["target"],
                "parameters": card["parameters"],
                "reference": one["reference"],
                "acknowledge_irreversible": one["acknowledge_irreversible"],
            },
        }
        for card in cards
    ]
    components["schemas"]["Finding"] = {"anyOf": [*known, *by_card]}
    components["schemas"]["RemediationRequest"]["properties"]["findings"]["maxItems"] = 4
    return document


def _closed(document: Mapping[str, Any]) -> dict[str, Any]:
    return {"const": dict(document)}


def _cases(document: dict[str, Any]) -> list[st.SearchStrategy]:
    schema = schemathesis.openapi.from_dict(document)
    return [
        schema[path][method].as_strategy(generation_mode=mode)
        for path, methods in document["paths"].items()
        for method in methods.keys() & {"get", "post"}
        for mode in GenerationMode
    ]


def _asked(cases: st.SearchStrategy) -> st.SearchStrategy:
    often = st.sampled_from([Locks.BOTH, Locks.BOTH, Locks.BOTH, *Locks])
    return st.builds(
        _question,
        cases,
        method=st.one_of(st.none(), st.none(), st.none(), st.none(), st.sampled_from(METHODS)),
        locks=often,
        operator=st.booleans(),
        reference=st.one_of(st.none(), st.none(), _REFERENCES),
        chosen=st.sampled_from(SECOND_LOCK),
    )


def _question(
    case: Case[Any], *, method: str | None, locks: Locks, operator: bool, reference: str | None, chosen: str
) -> Question:
    return Question(case, method or case.method.upper(), locks, operator, _body(case.body, reference), chosen)


def _body(made_up: Any, reference: str | None) -> bytes:
    if isinstance(made_up, bytes):
        return made_up
    if type(made_up).__name__ == "NotSet":
        return b""
    if reference is not None and isinstance(made_up, dict):
        made_up = _referred(made_up, reference)
    return json.dumps(made_up).encode()


def _referred(document: dict[str, Any], reference: str) -> dict[str, Any]:
    findings = document.get("findings")
    if not isinstance(findings, list) or not findings or not isinstance(findings[0], dict):
        return document
    return {**document, "findings": [{**findings[0], "reference": reference}, *findings[1:]]}
