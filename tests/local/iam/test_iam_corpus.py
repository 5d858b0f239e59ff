"""Our evaluator against AWS's documentation, and against an evaluator that somebody else wrote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.local.iam.corpus import ALL, Known
from tests.local.iam.oracle import Case, ask_the_oracle
from tests.local.iam.random_cases import random_cases

RANDOM_CASES = random_cases(3000, seed=20261123)


@pytest.fixture(scope="module")
def answers() -> tuple[list[str], list[str]]:
    """What the oracle says of the hand-made and of the random cases, from one process."""
    given = ask_the_oracle([*(known.case for known in ALL), *RANDOM_CASES])
    return given[: len(ALL)], given[len(ALL) :]


@pytest.mark.parametrize("known", ALL, ids=[known.rule for known in ALL])
def test_a_rule_of_the_documentation_holds(known: Known) -> None:
    decision = known.case.decide()
    assert decision.allowed is known.allowed, decision.reason


def test_the_corpus_has_at_least_sixty_rules() -> None:
    assert len({known.rule for known in ALL}) == len(ALL) >= 60


def test_the_oracle_agrees_on_every_rule_but_for_what_is_explained(answers: tuple[list[str], list[str]]) -> None:
    unexplained = {
        known.rule: answer
        for known, answer in zip(ALL, answers[0], strict=True)
        if answer.startswith("error") or (answer == "Allowed") is not (known.allowed is not bool(known.oracle_differs))
    }
    assert unexplained == {}


def test_the_oracle_agrees_on_random_cases_also_about_why(answers: tuple[list[str], list[str]]) -> None:
    different = [
        (case, answer)
        for case, answer in zip(RANDOM_CASES, answers[1], strict=True)
        if answer != _said(case) and not _is_granted_past_the_session_policy(case)
    ]
    assert different == []


def test_random_cases_differ_only_where_a_session_policy_says_nothing(answers: tuple[list[str], list[str]]) -> None:
    # The one documented difference, see the corpus: what a resource's policy grants to the session (or to everybody)
    # isn't limited by the session policy. Without the session policy the oracle must grant it, too.
    differing = [case for case, answer in zip(RANDOM_CASES, answers[1], strict=True) if answer != _said(case)]
    assert 0 < len(differing) < len(RANDOM_CASES) / 100
    assert set(ask_the_oracle([replace(case, session=None) for case in differing])) == {"Allowed"}


def test_the_random_cases_are_neither_all_refused_nor_all_simple() -> None:
    said = [_said(case) for case in RANDOM_CASES]
    assert all(said.count(answer) > len(said) / 20 for answer in ("Allowed", "ImplicitlyDenied", "ExplicitlyDenied"))


def _said(case: Case) -> str:
    decision = case.decide()
    if decision.allowed:
        return "Allowed"
    return "ExplicitlyDenied" if decision.explicit else "ImplicitlyDenied"


def _is_granted_past_the_session_policy(case: Case) -> bool:
    decision = case.decide()
    return decision.allowed and case.session is not None and "resource policy" in decision.reason
