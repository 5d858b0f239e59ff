"""Demand strong passwords of an account's IAM users."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, TypeAlias

from remediator.catalogue.aws.resources import ACCOUNT
from remediator.catalogue.errors import NotApplicable
from remediator.catalogue.spec import Example, Fix, Severity, allow_on_all, ids, parameter

if TYPE_CHECKING:
    from mypy_boto3_iam import IAMClient

    from remediator.catalogue.spec import Target

State: TypeAlias = dict[str, Any]
"""IAM's own names for what `UpdateAccountPasswordPolicy` takes; None where nothing is demanded."""

KINDS: Final = ("RequireSymbols", "RequireNumbers", "RequireUppercaseCharacters", "RequireLowercaseCharacters")
SWITCHES: Final = (*KINDS, "AllowUsersToChangePassword", "HardExpiry")
OPTIONAL: Final = ("MaxPasswordAge", "PasswordReusePrevention")

DEFAULT_LENGTH: Final = 8
DEFAULT_KINDS: Final = 3
"""What AWS demands where there is no policy: 8 characters of 3 kinds (IAM user guide, "Default password policy")."""

NO_POLICY: Final[State] = {
    "MinimumPasswordLength": DEFAULT_LENGTH,
    **dict.fromkeys(SWITCHES, False),
    **dict.fromkeys(OPTIONAL),
}


@dataclass(frozen=True, slots=True)
class Demands:
    """Say what passwords must be like, at the least; the defaults are those of CIS' AWS Foundations Benchmark."""

    minimum_length: int = parameter("The fewest characters.", default=14, type="integer", minimum=6, maximum=128)
    reuse_prevention: int = parameter(
        "How many former passwords can't be used again.", default=24, type="integer", minimum=1, maximum=24
    )
    require_symbols: bool = parameter("Demand a symbol.", default=True, type="boolean")
    require_numbers: bool = parameter("Demand a digit.", default=True, type="boolean")
    require_uppercase: bool = parameter("Demand an upper-case letter.", default=True, type="boolean")
    require_lowercase: bool = parameter("Demand a lower-case letter.", default=True, type="boolean")
    maximum_age: int | None = parameter(
        "After how many days a password expires; null leaves expiry as it is.",
        default=None,
        type=["integer", "null"],
        minimum=1,
        maximum=1095,
    )
    users_may_change: bool = parameter(
        "Let users change their own passwords; false leaves that as it is.", default=False, type="boolean"
    )


STRONG: Final[State] = {
    "MinimumPasswordLength": 14,
    **dict.fromkeys(KINDS, True),
    "AllowUsersToChangePassword": False,
    "HardExpiry": False,
    "MaxPasswordAge": None,
    "PasswordReusePrevention": 24,
}
MIXED: Final[State] = {
    "MinimumPasswordLength": 20,
    "RequireSymbols": False,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": False,
    "RequireLowercaseCharacters": False,
    "AllowUsersToChangePassword": True,
    "HardExpiry": True,
    "MaxPasswordAge": 365,
    "PasswordReusePrevention": 5,
}


class SetPasswordPolicy(Fix["IAMClient", "State | None", Demands]):
    """Demand strong passwords of an account's IAM users.

    What the account's password policy demands already and is stricter stays; the rest is raised to what is asked. Users
    must meet the demands when they next change their passwords. With a maximum age, passwords that are older expire at
    once, and where the policy has a hard expiry an administrator must reset them.
    """

    id = "aws.iam.set-password-policy"
    target = ACCOUNT
    severity = Severity.MEDIUM
    service = "iam"
    parameters = Demands
    reads = allow_on_all("iam:GetAccountPasswordPolicy")
    writes = allow_on_all("iam:UpdateAccountPasswordPolicy", "iam:DeleteAccountPasswordPolicy")
    answers: ClassVar = {
        "cloudsploit": ids(
            "minPasswordLength",
            "passwordRequiresLowercase",
            "passwordRequiresNumbers",
            "passwordRequiresSymbols",
            "passwordRequiresUppercase",
            "passwordReusePrevention",
        )
        | {
            "maxPasswordAge": {"maximum_age": 90},
            "passwordExpiration": {"maximum_age": 90},
            "policyAllowsToChangePassword": {"users_may_change": True},
        },
        "prowler": ids(
            "iam_password_policy_lowercase",
            "iam_password_policy_minimum_length_14",
            "iam_password_policy_number",
            "iam_password_policy_reuse_24",
            "iam_password_policy_symbol",
            "iam_password_policy_uppercase",
        )
        | {"iam_password_policy_expires_passwords_within_90_days_or_less": {"maximum_age": 90}},
        "security-hub": ids("IAM.7", "IAM.11", "IAM.12", "IAM.13", "IAM.14", "IAM.15", "IAM.16")
        | {"IAM.17": {"maximum_age": 90}},
    }
    examples = (
        Example(broken=None, fixed=STRONG, others=(STRONG | {"MinimumPasswordLength": 30},)),
        Example(
            parameters={"maximum_age": 90},
            broken=MIXED,
            fixed=MIXED | dict.fromkeys(KINDS, True) | {"MaxPasswordAge": 90, "PasswordReusePrevention": 24},
            others=(MIXED | {"MinimumPasswordLength": 6}, None),
        ),
    )

    def read(self, client: IAMClient, target: Target) -> State | None:  # noqa: ARG002 - the client's account is the target
        """Return the account's password policy, or None where AWS's default holds."""
        try:
            found: dict[str, Any] = {**client.get_account_password_policy()["PasswordPolicy"]}
        except client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchEntity":
                raise
            return None
        return {
            "MinimumPasswordLength": found["MinimumPasswordLength"],
            **{switch: bool(found.get(switch)) for switch in SWITCHES},
            **{name: found.get(name) or None for name in OPTIONAL},
        }

    def desired(self, current: State | None, parameters: Demands) -> State | None:
        """Return the policy with what is asked, and what was stricter; raise `NotApplicable` if it would be weaker."""
        asked = {
            "RequireSymbols": parameters.require_symbols,
            "RequireNumbers": parameters.require_numbers,
            "RequireUppercaseCharacters": parameters.require_uppercase,
            "RequireLowercaseCharacters": parameters.require_lowercase,
            "AllowUsersToChangePassword": parameters.users_may_change,
        }
        if current is None and sum(asked[kind] for kind in KINDS) < DEFAULT_KINDS:
            raise NotApplicable(
                f"the account has no policy, and AWS's default demands {DEFAULT_KINDS} kinds of characters: "
                "ask for as many, or the policy would be weaker"
            )
        policy = NO_POLICY if current is None else current
        return policy | {
            "MinimumPasswordLength": max(policy["MinimumPasswordLength"], parameters.minimum_length),
            **{switch: policy[switch] or wanted for switch, wanted in asked.items()},
            "MaxPasswordAge": _stricter_age(policy["MaxPasswordAge"], parameters.maximum_age),
            "PasswordReusePrevention": max(policy["PasswordReusePrevention"] or 0, parameters.reuse_prevention),
        }

    def write(self, client: IAMClient, target: Target, before: State | None, after: State | None) -> None:  # noqa: ARG002 - the policy is written whole
        """Put the whole policy, for what isn't said is reset; take it away where there was none."""
        if after is None:
            client.delete_account_password_policy()
            return
        client.update_account_password_policy(**{name: value for name, value in after.items() if value is not None})


def _stricter_age(current: int | None, wanted: int | None) -> int | None:
    ages = [age for age in (current, wanted) if age is not None]
    return min(ages, default=None)
