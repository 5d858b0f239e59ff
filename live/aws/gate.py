"""Ask STS and IAM what the gate relies on: dates in trust policies, how soon changes count, what policies fit."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from live.verdicts import Making, Outcome, Probe, Verdict, judged
from live.workshop import Slow
from remediator.catalogue import registry
from remediator.catalogue.policies import compact, session_policy
from remediator.catalogue.spec import Home
from remediator.core.windows import AHEAD, PERIOD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from live.aws.workshop import AwsWorkshop

SPREADS_WITHIN: Final = AHEAD * PERIOD
"""How long a changed trust policy may take to count, in seconds: windows are staged that far ahead."""

FREEZES_WITHIN: Final = 60.0
"""How long a Deny may take to stop sessions that are out: "seconds", says the protocol."""

SKEW: Final = 30.0
"""How far STS's clock may be from ours in what is judged here, in seconds."""

_APPEARS_WITHIN: Final = 120.0
_ENDS_AFTER: Final = 120.0
_ROUNDS: Final = 5
_HOUR: Final = 3600.0
_GUESSES: Final = 20
_DENY: Final = "probe-deny"


def dates(shop: AwsWorkshop) -> Verdict:
    """Let roles be trusted for an hour ago, for the hour to come and for two minutes, and try them."""
    now = shop.now()
    over = shop.role("over", [_between(shop, now - 2 * _HOUR, now - _HOUR)])
    ahead = shop.role("ahead", [_between(shop, now + _HOUR, now + 2 * _HOUR)])
    ending = shop.role("ending", [_between(shop, now - _HOUR, now + _ENDS_AFTER)])
    try:
        shop.until(lambda: shop.assumed(ending) is not None, most=_ENDS_AFTER - 1)
        early = [name for name, role in (("over", over), ("ahead", ahead)) if shop.assumed(role)]
        shop.pause(max(0.0, now + _ENDS_AFTER - shop.now()))
        late = shop.until(lambda: shop.assumed(ending) is None, most=2 * SKEW, every=1.0)
        early += [name for name, role in (("over", over), ("ahead", ahead)) if shop.assumed(role)]
    except Slow as slow:
        return judged(f"the role for two minutes: {slow}", {}, holds=False)
    seen = f"refused {late:.0f} s after the end" if not early else f"let in although {', '.join(early)}"
    return judged(seen, {"late_s": round(late, 1)}, holds=not early and late <= SKEW)


def trust_spread(shop: AwsWorkshop) -> Verdict:
    """Change a trust policy's external id again and again, and see how long the new one takes and the old one stays."""
    iam = shop.customer.client("iam")
    role = shop.role("spread", [shop.trusted(external_id="round-0")])
    opened, closed, as_written = [], [], True
    try:
        shop.until(lambda: shop.assumed(role, ExternalId="round-0") is not None, most=SPREADS_WITHIN)
        for number in range(1, _ROUNDS + 1):
            fresh, stale = f"round-{number}", f"round-{number - 1}"
            written = {"Version": "2012-10-17", "Statement": [shop.trusted(external_id=fresh)]}
            iam.update_assume_role_policy(RoleName=shop.name("spread"), PolicyDocument=json.dumps(written))
            as_written &= iam.get_role(RoleName=shop.name("spread"))["Role"]["AssumeRolePolicyDocument"] == written
            opened.append(shop.until(_takes(shop, role, fresh), most=SPREADS_WITHIN))
            closed.append(opened[-1] + shop.until(_leaves(shop, role, stale), most=SPREADS_WITHIN))
    except Slow as slow:
        return judged(f"a changed trust policy counts {slow}", {}, holds=False)
    told = "" if as_written else "; GetRole gave it back otherwise than it was written"
    figures = {"opened_s": _rounded(opened), "closed_s": _rounded(closed), "read_back_as_written": as_written}
    seen = f"a new value counts after {max(opened):.0f} s at most, an old one ends after {max(closed):.0f} s{told}"
    return judged(seen, figures, holds=as_written)


def deny_spread(shop: AwsWorkshop) -> Verdict:
    """Stop a session that is out by an unconditional Deny, then let in only sessions that are issued later."""
    name = shop.name("frozen")
    role = shop.role("frozen", [shop.trusted()])
    allow = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": role}
    _put(shop, "probe-allow", allow)
    try:
        shop.until(lambda: shop.assumed(role) is not None, most=_APPEARS_WITHIN)
        before = _session(shop, role)
        shop.until(lambda: _may(before, name), most=_APPEARS_WITHIN)
        _put(shop, _DENY, {"Effect": "Deny", "Action": "*", "Resource": "*"})
        stopped = shop.until(lambda: not _may(before, name), most=10 * FREEZES_WITHIN, every=1.0)
        shop.pause(2.0)
        moment = {"DateLessThan": {"aws:TokenIssueTime": _instant(shop.now())}}
        _put(shop, _DENY, {"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": moment})
        shop.pause(2.0)
        after = _session(shop, role)
        shop.until(lambda: _may(after, name), most=10 * FREEZES_WITHIN, every=1.0)
        stays = not _may(before, name)
    except Slow as slow:
        return judged(f"a Deny, or its end, counts {slow}", {}, holds=False)
    seen = f"a session is stopped after {stopped:.0f} s; after unfreezing the old one {'stays so' if stays else 'RUNS'}"
    return judged(seen, {"stopped_s": round(stopped, 1)}, holds=stays and stopped <= FREEZES_WITHIN)


def packed(shop: AwsWorkshop) -> Verdict:
    """Ask for sessions narrowed to more and more targets, of each kind, until STS says that they don't fit."""
    role = shop.role("packed", [shop.trusted()])
    try:
        shop.until(lambda: shop.assumed(role) is not None, most=_APPEARS_WITHIN)
    except Slow as slow:
        return judged(f"the role to try it with: {slow}", {}, holds=False)
    figures: dict[str, Any] = {}
    for fix_id, target in _TARGETS.items():
        most, percent, refusal = _fill(shop, role, fix_id, target)
        figures[fix_id] = {"targets": most, "percent": percent, "refused_as": refusal}
    known = {"PackedPolicyTooLarge", "PackedPolicyTooLargeException", "length"}
    holds = all(one["targets"] > 0 and one["refused_as"] in known for one in figures.values())
    seen = "; ".join(f"{name}: {one['targets']} targets, {one['percent']} %" for name, one in figures.items())
    return judged(seen, figures, holds=holds)


def wrong_ids(shop: AwsWorkshop) -> Verdict:
    """Guess external ids, and see whether STS slows down."""
    role = shop.role("guessed", [shop.trusted(external_id="nobody-knows")])
    seconds, let_in = [], 0
    for number in range(_GUESSES):
        began = time.perf_counter()
        let_in += shop.assumed(role, ExternalId=f"guess-{number:04}") is not None
        seconds.append(time.perf_counter() - began)
    figures = {"first_s": round(seconds[0], 3), "last_s": round(seconds[-1], 3), "let_in": let_in}
    seen = f"{_GUESSES} guesses, {let_in} let in; the first took {seconds[0]:.2f} s, the last {seconds[-1]:.2f} s"
    return Verdict(Outcome.FAILS if let_in else Outcome.MEASURED, seen, figures)


_TARGETS: Final = {
    "aws.s3.block-public-access": lambda number: {
        "arn": f"arn:aws:s3:::probe-{number:040x}",
        "region": "eu-west-1",
    },
    "aws.kms.enable-rotation": lambda number: {
        "arn": f"arn:aws:kms:eu-west-1:111122223333:key/{number:08x}-0000-4000-8000-{number * 7919:012x}"
    },
    "aws.ec2.close-port": lambda number: {
        "arn": f"arn:aws:ec2:eu-west-1:111122223333:security-group/sg-{number * 104729:017x}"
    },
}


def _fill(shop: AwsWorkshop, role: str, fix_id: str, target: Any) -> tuple[int, int, str]:  # noqa: ANN401 - one of the above
    """Return how many targets went into a session, how full it was in percent, and what then refused one more."""
    fix, home, percent = registry.load(fix_id), Home("aws", "111122223333"), 0
    for count in range(1, 100):
        targets = [fix.target.parse(target(number), home) for number in range(1, count + 1)]
        policy = compact(session_policy(fix, targets, deadline=int(shop.now()) + 900, write=True))
        if len(policy) > 2048:  # noqa: PLR2004 - the documented limit, which comes before the packed one
            return count - 1, percent, "length"
        try:
            percent = int((shop.assumed(role, Policy=policy) or {}).get("PackedPolicySize", 0))
        except ClientError as error:
            return count - 1, percent, str(error.response["Error"]["Code"])
    return count, percent, "nothing"


def _between(shop: AwsWorkshop, start: float, end: float) -> dict[str, Any]:
    return shop.trusted(
        DateGreaterThanEquals={"aws:CurrentTime": _instant(start)}, DateLessThan={"aws:CurrentTime": _instant(end)}
    )


def _instant(moment: float) -> str:
    return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M:%SZ}"


def _takes(shop: AwsWorkshop, role: str, external_id: str) -> Any:  # noqa: ANN401 - a question for `until`
    return lambda: shop.assumed(role, ExternalId=external_id) is not None


def _leaves(shop: AwsWorkshop, role: str, external_id: str) -> Any:  # noqa: ANN401 - a question for `until`
    return lambda: shop.assumed(role, ExternalId=external_id) is None


def _put(shop: AwsWorkshop, policy: str, statement: Mapping[str, Any]) -> None:
    shop.customer.client("iam").put_role_policy(
        RoleName=shop.name("frozen"),
        PolicyName=policy,
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )


def _session(shop: AwsWorkshop, role: str) -> Any:  # noqa: ANN401 - an SDK client
    answer = shop.assumed(role)
    if answer is None:
        raise Slow("the role lets nobody in any more")
    return shop.sdk_session(answer["Credentials"])("iam")


def _may(iam: Any, role: str) -> bool:  # noqa: ANN401 - an SDK client
    try:
        iam.get_role(RoleName=role)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException"):
            raise
        return False
    return True


def _rounded(seconds: list[float]) -> list[float]:
    return [round(one, 1) for one in seconds]


PROBES: Final = (
    Probe("dates", "STS honours aws:CurrentTime in a trust policy, to the second", Making(("3 IAM roles",), 4), dates),
    Probe(
        "trust-spread",
        f"a changed trust policy counts within {SPREADS_WITHIN:.0f} s and is read back as it was written",
        Making(("1 IAM role",), 5),
        trust_spread,
    ),
    Probe(
        "deny-spread",
        f"a Deny stops sessions within {FREEZES_WITHIN:.0f} s, and one by issue time keeps the old ones stopped",
        Making(("1 IAM role with two inline policies",), 2),
        deny_spread,
    ),
    Probe(
        "packed",
        "a session policy of at least one target fits, and STS says PackedPolicyTooLarge of one too many",
        Making(("1 IAM role",), 2),
        packed,
    ),
    Probe("wrong-ids", "a wrong external id never passes", Making(("1 IAM role",), 1), wrong_ids),
)
