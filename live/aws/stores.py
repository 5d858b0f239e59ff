"""Ask Secrets Manager how many versions of a secret there may be: the ring of six exists because of its answer."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from live.verdicts import Making, Probe, Verdict, judged
from live.workshop import TAGS

if TYPE_CHECKING:
    from live.aws.workshop import AwsWorkshop

DOCUMENTED: Final = 100
TRIES: Final = 130
HOURS: Final = 9


def versions(shop: AwsWorkshop) -> Verdict:
    """Give one secret a new value at the rotator's pace, until it is refused."""
    client, name = shop.customer.client("secretsmanager"), shop.name("versions")
    tags = [{"Key": key, "Value": value} for key, value in TAGS.items()]
    shop.say(f"creating secret {name}")
    client.create_secret(Name=name, SecretString=secrets.token_hex(16), Tags=tags)
    for taken in range(1, TRIES):
        shop.pause(shop.pace)
        try:
            client.put_secret_value(SecretId=name, SecretString=secrets.token_hex(16))
        except ClientError as error:
            code = error.response["Error"]["Code"]
            figures = {"versions": taken, "refused_as": code}
            near = abs(taken - DOCUMENTED) <= DOCUMENTED // 10
            seen = f"refused the version after {taken} with {code}"
            return judged(seen, figures, holds=near and code == "LimitExceededException")
    seen = f"{TRIES} versions within a day, and none was refused"
    return judged(seen, {"versions": TRIES}, holds=False)


PROBES: Final = (
    Probe(
        "versions",
        f"a secret jams after about {DOCUMENTED} versions in a day, which is why there are six",
        Making(("1 secret",), HOURS * 60, {"secret_month": 1 / 30, "secret_call": TRIES}),
        versions,
        by_request=True,
    ),
)
