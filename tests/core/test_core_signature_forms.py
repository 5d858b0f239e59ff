"""Refuse every form of a signature but one.

Each message here is signed with the right key over just what it says, as RFC 9421 would have it: whoever reads it less
strictly accepts it. None may get as far as a comparison.
"""

from __future__ import annotations

import base64

import pytest

from remediator.core.messages import COMPONENTS
from tests.core.lookalikes import arabic, full_width
from tests.core.rederived import encoded
from tests.core.refusal import refused
from tests.core.scene import CREATED, WINDOW, Forgery

QUOTED = tuple(f'"{name}"' for name in COMPONENTS)
CREATED_PARAM, KEYID, TAG, ALG = (
    f";created={CREATED}",
    f';keyid="{WINDOW}"',
    ';tag="remediator/v1"',
    ';alg="hmac-sha256"',
)
COVERED = f"({' '.join(QUOTED)})"
REST = f"{CREATED_PARAM}{KEYID}{TAG}"


def swapped(name: str, *others: str) -> tuple[str, ...]:
    """Return the components with others in place of one."""
    place = QUOTED.index(f'"{name}"')
    return (*QUOTED[:place], *others, *QUOTED[place + 1 :])


WIDENED: dict[str, tuple[str, ...]] = {
    **{f"without {name}": swapped(name) for name in COMPONENTS},
    **{f"{name} twice": (*QUOTED, f'"{name}"') for name in COMPONENTS},
    **{f"{name} twice and another missing": (*QUOTED[1:], QUOTED[-1]) for name in COMPONENTS[1:-1]},
    **{
        f"{name} with {parameter}": swapped(name, f'"{name}";{parameter}')
        for name in COMPONENTS
        for parameter in ("sf", "bs", "req", "tr", "key=x", 'key="x"', "unknown", "sf=?1")
    },
    **{f"{name} in upper case": swapped(name, f'"{name.upper()}"') for name in COMPONENTS},
    **{f"{name} with a space": swapped(name, f'"{name} "') for name in COMPONENTS},
    **{f"{name} in place of another": swapped("content-digest", f'"{name}"') for name in ("date", "host")},
    **{
        f"{name} besides": (*QUOTED, f'"{name}"')
        for name in (
            "@authority",
            "@query",
            "@query-param",
            "@request-target",
            "@scheme",
            "@signature-params",
            "@status",
            "@target-uri",
            "content-type",
            "date",
            "host",
            "no-such-field",
        )
    },
    "nothing": (),
    "an empty name": (*QUOTED, '""'),
    "an escaped quotation mark": (*QUOTED, r'"date\""'),
}


@pytest.mark.parametrize("components", [pytest.param(case, id=name) for name, case in WIDENED.items()])
def test_a_signature_over_other_components_is_refused(components: tuple[str, ...]) -> None:
    refused(Forgery(components=components).signed())


@pytest.mark.parametrize("extra", ["@method", ":QG1ldGhvZA==:", "1", "?1", '"@method"x'])
def test_a_component_that_is_no_string_is_refused(extra: str) -> None:
    refused(Forgery(inner=f"({' '.join(QUOTED[1:])} {extra}){REST}").signed())


PARAMETERS = {
    "no created": KEYID + TAG,
    "no keyid": CREATED_PARAM + TAG,
    "no tag": CREATED_PARAM + KEYID,
    "none": "",
    "expires besides": f"{REST};expires={CREATED + 60}",
    "a nonce besides": f'{REST};nonce="abc"',
    "an unknown one besides": f"{REST};x=1",
    "an unknown flag besides": f"{REST};x",
    "an unknown one in place of the algorithm": f'{REST};algo="hmac-sha256"',
    "an upper-case name": f'{CREATED_PARAM}{KEYID};Tag="remediator/v1"',
    "created twice": f"{REST}{CREATED_PARAM}",
    "created twice, with two values": f"{REST};created={CREATED + 1}",
    "keyid twice": f"{REST}{KEYID}",
    "keyid twice, with two values": f'{REST};keyid="{WINDOW + 1}"',
    "tag twice": f"{REST}{TAG}",
    "tag twice, with two values": f'{REST};tag="other"',
    "alg twice": f"{REST}{ALG}{ALG}",
    "alg twice, with two values": f'{REST};alg="hmac-sha512"{ALG}',
    **{
        f"the tag {value}": f"{CREATED_PARAM}{KEYID};tag={value}"
        for value in (
            '"remediator/v2"',
            '"remediator/v1 "',
            '"Remediator/v1"',
            '"remediator/v1/"',
            '"remediator"',
            '"xremediator/v1"',
            '""',
            "remediator/v1",
            ":cmVtZWRpYXRvci92MQ==:",
            '"remediator/v1";x',
            '"remediator/v1"x',
            "",
            "?1",
        )
    },
    **{
        f"the algorithm {value}": f"{REST};alg={value}"
        for value in (
            '"hmac-sha512"',
            '"HMAC-SHA256"',
            '"hmac-sha256 "',
            '"hs2019"',
            '"rsa-pss-sha512"',
            '"ed25519"',
            '"none"',
            '""',
            "hmac-sha256",
            "",
            "?0",
        )
    },
    **{
        f"the keyid {value}": f"{CREATED_PARAM};keyid={value}{TAG}"
        for value in (
            f"{WINDOW}",
            f'"0{WINDOW}"',
            f'"+{WINDOW}"',
            f'"-{WINDOW}"',
            f'" {WINDOW}"',
            f'"{WINDOW} "',
            f'"{WINDOW}.0"',
            f'"{WINDOW}e0"',
            f'"{WINDOW.number:_}"',
            f'"{WINDOW.number:#x}"',
            f'"{WINDOW},{WINDOW}"',
            f"'{WINDOW}'",
            '"1000000000000"',
            f'"{"9" * 400}"',
            f'"{"9" * 5000}"',
            '"0"',
            '"00"',
            '""',
            f'"{arabic(str(WINDOW))}"',
            f'"{full_width(str(WINDOW))}"',
            f'"{str(WINDOW)[0]}{arabic(str(WINDOW)[1:])}"',
            '"w"',
            "",
            "?1",
            ":NTk4NDg1MA==:",
        )
    },
    **{
        f"created as {value}": f";created={value}{KEYID}{TAG}"
        for value in (
            f'"{CREATED}"',
            f"0{CREATED}",
            f"+{CREATED}",
            f"-{CREATED}",
            f"{CREATED}.0",
            f"{CREATED}.5",
            f"{CREATED}e0",
            f"{CREATED:_}",
            f"{CREATED:#x}",
            f"@{CREATED}",
            "0",
            "-1",
            "1000000000000",
            "9" * 400,
            "9" * 5000,
            "",
            "?1",
            "now",
            arabic(str(CREATED)),
            full_width(str(CREATED)),
            f"{str(CREATED)[0]}{arabic(str(CREATED)[1:])}",
            f"{CREATED},{CREATED}",
        )
    },
    "created without a value": f";created{KEYID}{TAG}",
}


@pytest.mark.parametrize("params", [pytest.param(case, id=name[:60]) for name, case in PARAMETERS.items()])
def test_a_signature_with_other_parameters_is_refused(params: str) -> None:
    refused(Forgery(params=params).signed())


WRITTEN = {
    "nothing": "",
    "parameters without a list": REST[1:],
    "an empty list": f"(){REST}",
    "two spaces between components": COVERED.replace(" ", "  ") + REST,
    "a tab between components": COVERED.replace(" ", "\t") + REST,
    "a comma between components": COVERED.replace(" ", ", ") + REST,
    "no space between components": COVERED.replace(" ", "") + REST,
    "a space within the list": f"( {COVERED[1:-1]} ){REST}",
    "a space before a parameter": COVERED + REST.replace(";", " ;"),
    "a space after a semicolon": COVERED + REST.replace(";", "; "),
    "a space around an equals sign": COVERED + REST.replace("=", " = "),
    "a space before": f" {COVERED}{REST}",
    "a space after": f"{COVERED}{REST} ",
    "a new line after": f"{COVERED}{REST}\n",
    "a new line within": f"{COVERED}\n{REST}",
    "a semicolon after": f"{COVERED}{REST};",
    "two semicolons": COVERED + REST.replace(";", ";;"),
    "no closing bracket": COVERED[:-1] + REST,
    "square brackets": f"[{COVERED[1:-1]}]{REST}",
    "two lists": f"{COVERED}{COVERED}{REST}",
    "typographic quotation marks": COVERED.replace('"', "”") + REST,
    "a second signature": f"{COVERED}{REST}, other={COVERED}{REST}",
    "a second signature without a space": f"{COVERED}{REST},other={COVERED}{REST}",
    "the same signature again": f"{COVERED}{REST}, remediator={COVERED}{REST}",
    "a flag besides": f"{COVERED}{REST}, other",
    "a comma after": f"{COVERED}{REST},",
}


@pytest.mark.parametrize("inner", [pytest.param(case, id=name) for name, case in WRITTEN.items()])
def test_a_signature_input_in_another_form_is_refused(inner: str) -> None:
    refused(Forgery(inner=inner).signed())


@pytest.mark.parametrize("label", ["", "Remediator", "1sig", "-sig", "sig 1", "sig\u00e9", '"sig"', "a=b", "a,b", " a"])
def test_a_label_that_is_no_key_is_refused(label: str) -> None:
    refused(Forgery(label=label).signed())


GOOD = Forgery().signed()
MAC = GOOD.headers["signature"].partition("=:")[2][:-1]
STRAY = MAC[:-2] + chr(ord(MAC[-2]) + 1) + "="
"""The same bytes in base64 that isn't canonical: the last digit has stray bits."""

SIGNATURES = {
    "nothing": "",
    "no label": f":{MAC}:",
    "another label": f"other=:{MAC}:",
    "a label in another case": f"Remediator=:{MAC}:",
    "a second signature": f"remediator=:{MAC}:, other=:{MAC}:",
    "the same signature again": f"remediator=:{MAC}:, remediator=:{MAC}:",
    "a parameter": f"remediator=:{MAC}:;x=1",
    "a string": f'remediator="{MAC}"',
    "a token": f"remediator={MAC}",
    "a list": f"remediator=(:{MAC}:)",
    "no colons": f"remediator={MAC}",
    "one colon": f"remediator=:{MAC}",
    "a space before": f" remediator=:{MAC}:",
    "a space after": f"remediator=:{MAC}: ",
    "a new line after": f"remediator=:{MAC}:\n",
    "a space within": f"remediator=:{MAC[:20]} {MAC[20:]}:",
    "no padding": f"remediator=:{MAC[:-1]}:",
    "twice the padding": f"remediator=:{MAC}=:",
    "stray bits": f"remediator=:{STRAY}:",
    "the alphabet for URLs": f"remediator=:{'-_' + MAC[2:]}:",
    "31 bytes": f"remediator=:{encoded(bytes(31))}:",
    "33 bytes": f"remediator=:{encoded(bytes(33))}:",
    "no bytes": "remediator=::",
    "hexadecimal": f"remediator=:{'0' * 64}:",
    "full-width letters": f"remediator=:{full_width(MAC[0]) + MAC[1:]}:",
}


@pytest.mark.parametrize("signature", [pytest.param(case, id=name) for name, case in SIGNATURES.items()])
def test_a_signature_in_another_form_is_refused(signature: str) -> None:
    refused(GOOD.having(signature=signature))


def test_the_stray_bits_would_have_meant_the_same_signature() -> None:
    assert base64.b64decode(STRAY) == base64.b64decode(MAC)
    assert STRAY != MAC
