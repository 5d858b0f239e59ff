"""Give vectors that were not made by the code under test, and say where each comes from."""

from __future__ import annotations

from dataclasses import dataclass

# RFC 4226, appendix D: the secret is the ASCII text, the counter runs from 0 to 9, HMAC-SHA-1 and 6 digits.
HOTP_SECRET = b"12345678901234567890"
HOTP = ("755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489")

# RFC 6238, appendix B: X = 30, T0 = 0, 8 digits. The text names one seed of 20 bytes; erratum 2866 says what its code
# does: the digits are repeated to the length of the hash, so the seeds have 20, 32 and 64 bytes.
TOTP_SEEDS = {
    "sha1": b"12345678901234567890",
    "sha256": b"12345678901234567890123456789012",
    "sha512": b"1234567890123456789012345678901234567890123456789012345678901234",
}
TOTP = (
    (59, "sha1", "94287082"),
    (59, "sha256", "46119246"),
    (59, "sha512", "90693936"),
    (1111111109, "sha1", "07081804"),
    (1111111109, "sha256", "68084774"),
    (1111111109, "sha512", "25091201"),
    (1111111111, "sha1", "14050471"),
    (1111111111, "sha256", "67062674"),
    (1111111111, "sha512", "99943326"),
    (1234567890, "sha1", "89005924"),
    (1234567890, "sha256", "91819424"),
    (1234567890, "sha512", "93441116"),
    (2000000000, "sha1", "69279037"),
    (2000000000, "sha256", "90698825"),
    (2000000000, "sha512", "38618901"),
    (20000000000, "sha1", "65353130"),
    (20000000000, "sha256", "77737706"),
    (20000000000, "sha512", "47863826"),
)

# The same seeds with X = 300 and 6 digits: no RFC has such a period; computed with OpenSSL and with Node.
FIVE_MINUTES = (
    (1111111109, "sha1", "080717"),
    (1111111109, "sha256", "059055"),
    (1111111109, "sha512", "210913"),
    (2000000000, "sha1", "473453"),
    (2000000000, "sha256", "916858"),
    (2000000000, "sha512", "008571"),
)


@dataclass(frozen=True)
class Vector:
    """Hold what follows from a seed, a deployment and a window; all in hexadecimal but for the code."""

    seed: str
    deployment: str
    window: int
    code: str
    proof_key: str
    opening: str
    gate_value: str
    check: str


# Computed by `rederived.py`, the first of them with OpenSSL and Node too; docs/protocol.md shows the first in full.
DERIVED = (
    Vector(
        seed="000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        deployment="6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d",
        window=5984850,
        code="007614",
        proof_key="7a65c97ad5bc13a4f705012436b411bea9cb53960ce4212f90201350cb082413",
        opening="6861a012739458739addad566bd814f2e132f59431127a17ee067f8ba13e9b93",
        gate_value="0b7d959cfed689c1d0422db58c61972813474aa219ea3a85935af2d64981114d",
        check="a154ff287307ecfc3c81452d66453587b3f15e989fe713440d716d97eda0daef",
    ),
    Vector(
        seed="000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        deployment="6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d",
        window=5984851,
        code="850379",
        proof_key="675b445cf72c083a4a22ad0f7361ccfb92a658a2abff7ca593a5e0c9f6bc0e07",
        opening="3cf9b2379ed4095d858f415fecc272897ba3cf71c06c489813f7d2414165a711",
        gate_value="06df98155d70de61cbdd2e4e42c66381a9bae72b0cbee665e19354d94856abb0",
        check="8983dce3af293d4cd4886d658ba81209aba5be12fb786423e7d0cc62f0f72d1f",
    ),
    Vector(
        seed="000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        deployment="6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4e",
        window=5984850,
        code="007614",
        proof_key="fe6e25b10f5b0d30e81a504b3e1751ade2ef8a7f706b9f13c43c3d2e73bab687",
        opening="1b9292b800b01d24901a87594abf2829d19a4e08c42c8c883a0d72c4ff6fe57b",
        gate_value="eb4759283efc81bfc8dea3ce70e9a5af258a0976a445699a218c6012106292a6",
        check="aaf28701bd4e112d1446df68563bb77d01726b13064b2a87053ac8683a74a868",
    ),
    Vector(
        seed="ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        deployment="d",
        window=0,
        code="877243",
        proof_key="a9ecf181addff6056da0ad93c97ab5f06ecc64a653a9065a01e20f5159e8e360",
        opening="09001381eede73d0e26a9f9f8f75e5c4b0e8af052b4a72250ecd8d155d6b142f",
        gate_value="bbc6a779d63264d9ee0e01ddd29ecb6dbda1257964258f1ba015d303d2bcf68d",
        check="ad5fa1306ec55d9922aba6e6f9c76a6eb2b4ce607415d316680ebf8584de7c9e",
    ),
    Vector(
        seed="0000000000000000000000000000000000000000000000000000000000000000",
        deployment="a-deployment-id-of-64-characters-is-the-longest-that-there-can-b",
        window=999999999999,
        code="638058",
        proof_key="dfa2ecf0aea9e70b7d0812b47aa066990e54243a83fd3efa9899c21e5fb95c22",
        opening="a4b343fdaf89619674f1af97864b3df29a750a4918a2d5f20fab7f9cb1150a7e",
        gate_value="794744482adc256b64f8bf14a7836af4ef48b2738ae4d684729ce1a0888bfe6d",
        check="5158a95168456fb5b4b133106a5a440b05a8e84423ab2d4c9c2fe23e5c82cc5d",
    ),
)


@dataclass(frozen=True)
class Sealed:
    """Hold a sealed gate's value and what an opening makes of it; all in hexadecimal."""

    fixed: str
    opening: str
    deployment: str
    window: int
    pad: str


# The masks were computed with OpenSSL, the exclusive or with Node.
SEALED = (
    Sealed(
        fixed="202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        opening="6861a012739458739addad566bd814f2e132f59431127a17ee067f8ba13e9b93",
        deployment="6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d",
        window=5984850,
        pad="833a484893656edec295059b44cfc7291c516c45440f94a43f9c2ac73503f715",
    ),
    Sealed(
        fixed="202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        opening="3cf9b2379ed4095d858f415fecc272897ba3cf71c06c489813f7d2414165a711",
        deployment="6f1c0f5e-7d3a-4b52-9c0e-2f6d8a1b3c4d",
        window=5984851,
        pad="b7f3a604fe5c71c98a3fefcce93e627265976fbec92338c6abc7ba6f41f20795",
    ),
    Sealed(
        fixed="202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f",
        opening="09001381eede73d0e26a9f9f8f75e5c4b0e8af052b4a72250ecd8d155d6b142f",
        deployment="d",
        window=0,
        pad="8c1e0c75575a8d9dc254d395c56426b5a42c7a7d3ee7fd463fa29c759e050d21",
    ),
)
