"""Be a cloud that costs nothing but time: a bare server that answers a few AWS calls after a fixed delay.

It keeps what is put (items, secrets, a trust policy, buckets' switches) and judges nothing, so that what a client does
can be timed without an emulator's own work in the way. It runs in a process of its own and counts every call.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from remediator.catalogue.spec import JSON

JSON_TYPE: Final = "application/x-amz-json-1.0"
XML_TYPE: Final = "text/xml"
CLOSED: Final = '{"Version":"2012-10-17","Statement":[]}'
COUNTS: Final = "/-/counts"
_CREDENTIALS: Final = (
    "<Credentials><AccessKeyId>ASIAEXAMPLE</AccessKeyId><SecretAccessKey>example</SecretAccessKey>"
    "<SessionToken>example</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Hold one HTTP request; header names are lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Told:
    """Hold one HTTP answer."""

    body: bytes
    status: int = 200
    kind: str = JSON_TYPE


@dataclass(slots=True)
class Cloud:
    """Keep what was put, and count what was asked."""

    items: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, dict[str, str]] = field(default_factory=dict)
    settings: dict[str, bytes] = field(default_factory=dict)
    trust: dict[str, str] = field(default_factory=dict)
    calls: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    """Units as DynamoDB bills them: a read for each 4 KB of an item, a write for each KB, two in transactions."""
    in_flight: int = 0
    most_in_flight: int = 0

    def answer(self, asked: Asked) -> Told:
        """Answer one call; what isn't known is a 501, never a guess."""
        if asked.target == COUNTS:
            return _json({"calls": self.calls, "units": self.units, "most_in_flight": self.most_in_flight})
        name, act, given = self._call(asked)
        self.calls[name] += 1
        return act(given)

    def _call(self, asked: Asked) -> tuple[str, Callable[[Any], Told], Any]:
        target = asked.headers.get("x-amz-target")
        if target:
            service = target.partition(".")[0].partition("_")[0].lower()
            operation = target.rpartition(".")[2]
            return f"{service}:{operation}", self._operation(operation), json.loads(asked.body)
        if asked.headers.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
            return f"query:{form['Action']}", self._operation(form["Action"]), form
        path = urlsplit(asked.target)
        return f"s3:{asked.method}?{path.query}", self._setting, asked

    def _operation(self, name: str) -> Callable[[Any], Told]:
        known: Callable[[Any], Told] | None = getattr(self, f"_on_{name}", None)
        return known or (lambda _: Told(f"no {name} here".encode(), 501))

    def _setting(self, asked: Asked) -> Told:
        path = urlsplit(asked.target)
        name = f"{unquote(path.path)}?{path.query}"
        if asked.method == "PUT":
            self.settings[name] = asked.body
            return Told(b"", kind=XML_TYPE)
        if name in self.settings:
            return Told(self.settings[name], kind=XML_TYPE)
        code = "NoSuchPublicAccessBlockConfiguration"
        return Told(f"<Error><Code>{code}</Code><Message>none</Message></Error>".encode(), 404, XML_TYPE)

    def _on_AssumeRole(self, form: Mapping[str, str]) -> Told:
        user = f"<AssumedRoleId>AROA:x</AssumedRoleId><Arn>{escape(form['RoleArn'])}</Arn>"
        return _xml("AssumeRole", f"{_CREDENTIALS}<AssumedRoleUser>{user}</AssumedRoleUser>")

    def _on_GetCallerIdentity(self, _: Mapping[str, str]) -> Told:
        arn = "arn:aws:iam::111122223333:user/bench"
        return _xml("GetCallerIdentity", f"<Account>111122223333</Account><UserId>AIDA</UserId><Arn>{arn}</Arn>")

    def _on_GetRole(self, form: Mapping[str, str]) -> Told:
        role = {
            "Path": "/",
            "RoleName": form["RoleName"],
            "RoleId": "AROAEXAMPLEEXAMPLE",
            "Arn": f"arn:aws:iam::111122223333:role/{form['RoleName']}",
            "CreateDate": "2026-01-01T00:00:00Z",
            "AssumeRolePolicyDocument": quote(self.trust.get(form["RoleName"], CLOSED)),
        }
        return _xml("GetRole", f"<Role>{''.join(f'<{name}>{value}</{name}>' for name, value in role.items())}</Role>")

    def _on_UpdateAssumeRolePolicy(self, form: Mapping[str, str]) -> Told:
        self.trust[form["RoleName"]] = form["PolicyDocument"]
        return _xml("UpdateAssumeRolePolicy", "")

    def _on_GetItem(self, given: JSON) -> Told:
        item = self._read(given["TableName"], given["Key"])
        return _json({"Item": item} if item else {})

    def _on_BatchGetItem(self, given: JSON) -> Told:
        found = {
            table: [item for key in asked["Keys"] if (item := self._read(table, key))]
            for table, asked in given["RequestItems"].items()
        }
        return _json({"Responses": found, "UnprocessedKeys": {}})

    def _on_PutItem(self, given: JSON) -> Told:
        self._put(given)
        return _json({})

    def _on_UpdateItem(self, given: JSON) -> Told:
        self._update(given)
        return _json({})

    def _on_TransactWriteItems(self, given: JSON) -> Told:
        for one in given["TransactItems"]:
            if "Put" in one:
                self._put(one["Put"], times=2)
            if "Update" in one:
                self._update(one["Update"], times=2)
            if "ConditionCheck" in one:
                self.units["written"] += 2
        return _json({})

    def _on_Query(self, given: JSON) -> Told:
        wanted = given["ExpressionAttributeValues"][":pk"]["S"]
        found = [item for key, item in self.items.items() if key[:2] == (given["TableName"], wanted)]
        return _json({"Items": found, "Count": len(found)})

    def _on_PutSecretValue(self, given: JSON) -> Told:
        version = {"VersionId": given["ClientRequestToken"], "SecretString": given["SecretString"]}
        self.secrets[given["SecretId"]] = version
        return _json({"ARN": given["SecretId"], "Name": "x", **version})

    def _on_GetSecretValue(self, given: JSON) -> Told:
        return _json({"ARN": given["SecretId"], "Name": "x", **self.secrets[given["SecretId"]]})

    def _on_BatchGetSecretValue(self, given: JSON) -> Told:
        held = [{"ARN": one, "Name": "x", **self.secrets[one]} for one in given["SecretIdList"] if one in self.secrets]
        return _json({"SecretValues": held, "Errors": []})

    def _read(self, table: str, key: JSON) -> JSON:
        item = self.items.get(_key(table, key))
        self.units["read"] += _blocks(item or {}, 4096)
        return item

    def _put(self, given: JSON, *, times: int = 1) -> None:
        self.items[_key(given["TableName"], given["Item"])] = given["Item"]
        self.units["written"] += times * _blocks(given["Item"], 1024)

    def _update(self, given: JSON, *, times: int = 1) -> None:
        """Set what `SET a = :b` says; nothing here needs more of DynamoDB's language."""
        item = self.items.setdefault(_key(given["TableName"], given["Key"]), dict(given["Key"]))
        names, values = given.get("ExpressionAttributeNames", {}), given["ExpressionAttributeValues"]
        for assignment in given["UpdateExpression"].partition("SET ")[2].split(","):
            name, equals, value = (part.strip() for part in assignment.partition("="))
            if equals:
                item[names.get(name, name)] = values[value]
        self.units["written"] += times * _blocks(item, 1024)


class Server(asyncio.Protocol):
    """Speak HTTP/1.1 on one connection: read a request, wait, answer."""

    def __init__(self, cloud: Cloud, delay: float) -> None:
        self._cloud = cloud
        self._delay = delay
        self._buffer = b""
        self._transport: Any = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the connection."""
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        """Take what came; answer each whole request in it."""
        self._buffer += data
        while True:
            taken = _request(self._buffer)
            if taken is None:
                return
            asked, self._buffer = taken
            if asked is None:
                self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                continue
            self._later(asked)

    def _later(self, asked: Asked) -> None:
        cloud = self._cloud
        if asked.target == COUNTS:
            self._send(cloud.answer(asked))
            return
        cloud.in_flight += 1
        cloud.most_in_flight = max(cloud.most_in_flight, cloud.in_flight)
        asyncio.get_running_loop().call_later(self._delay, self._now, asked)

    def _now(self, asked: Asked) -> None:
        self._cloud.in_flight -= 1
        if not self._transport.is_closing():
            self._send(self._cloud.answer(asked))

    def _send(self, told: Told) -> None:
        head = f"HTTP/1.1 {told.status} X\r\ncontent-type: {told.kind}\r\ncontent-length: {len(told.body)}\r\n\r\n"
        self._transport.write(head.encode() + told.body)


def _request(buffer: bytes) -> tuple[Asked | None, bytes] | None:
    """Return the first request of a buffer and the rest, or None if it isn't whole yet.

    A request that waits for `100 Continue` is None in place of the request: its expectation is taken out of the rest.
    """
    head, found, rest = buffer.partition(b"\r\n\r\n")
    if not found:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if headers.get("expect") == "100-continue":
        kept = "\r\n".join([first, *(line for line in lines if not line.lower().startswith("expect:"))])
        return None, kept.encode("latin-1") + b"\r\n\r\n" + rest
    length = int(headers.get("content-length", "0"))
    if len(rest) < length:
        return None
    method, target, _ = first.split(" ")
    return Asked(method, target, headers, rest[:length]), rest[length:]


def _key(table: str, key: Mapping[str, Mapping[str, str]]) -> tuple[str, str, str]:
    return table, key["pk"]["S"], key.get("sk", {}).get("S", "")


def _blocks(item: JSON, size: int) -> int:
    """Return how many blocks an item takes, at least one; its JSON is never shorter than what DynamoDB counts."""
    return -(-len(json.dumps(item)) // size)


def _json(value: JSON) -> Told:
    return Told(json.dumps(value).encode())


def _xml(operation: str, inside: str) -> Told:
    whole = f"<{operation}Response><{operation}Result>{inside}</{operation}Result></{operation}Response>"
    return Told(whole.encode(), kind=XML_TYPE)


async def serve(delay: float) -> None:
    """Serve on a free port of loopback until the process is ended; the port is the first line of output."""
    cloud = Cloud()
    server = await asyncio.get_running_loop().create_server(lambda: Server(cloud, delay), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def main(words: Sequence[str]) -> None:
    """Serve with the delay that was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--delay", type=float, default=0.0, metavar="MS", help="Milliseconds before each answer.")
    asyncio.run(serve(parser.parse_args(words).delay / 1000))


if __name__ == "__main__":
    main(sys.argv[1:])
