"""Say which rights a request to Table Storage needs.

https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory#permissions-for-calling-data-operations
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MOST_OPERATIONS: Final = 100
LARGEST_BATCH: Final = 4 * 1024 * 1024
_TABLES: Final = "Microsoft.Storage/storageAccounts/tableServices/tables"
_READ: Final = f"{_TABLES}/entities/read"
_WRITE: Final = f"{_TABLES}/entities/write"
_ADD: Final = f"{_TABLES}/entities/add/action"
_UPDATE: Final = f"{_TABLES}/entities/update/action"
_DELETE: Final = f"{_TABLES}/entities/delete"
_NAMED: Final = re.compile(r"/Tables\('([A-Za-z0-9]+)'\)")
_TABLE: Final = re.compile(r"/([A-Za-z][A-Za-z0-9]{2,62})(?:\(\))?")
_ENTITY: Final = re.compile(r"/([A-Za-z][A-Za-z0-9]{2,62})\(PartitionKey='.*',\s*RowKey='.*'\)", re.DOTALL)
_LINE: Final = re.compile(rb"^(GET|POST|PUT|PATCH|MERGE|DELETE) (\S+) HTTP/1\.1\r?$", re.MULTILINE)


class NotUnderstood(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse what isn't an operation on tables or entities."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class Need:
    """Hold one operation: any of the alternatives is enough, all actions of one together; `data` for data actions."""

    table: str | None
    alternatives: tuple[tuple[str, ...], ...]
    data: bool = True


def needs(method: str, path: str, headers: Mapping[str, str], body: bytes) -> list[Need]:
    """Return what a request needs, in order; a batch needs what each of its operations does."""
    if (method, path) != ("POST", "/$batch"):
        return [_need(method, path, conditional="if-match" in headers)]
    if len(body) > LARGEST_BATCH:
        raise NotUnderstood(413, "RequestBodyTooLarge", "The request body is too large and exceeds the maximum limit.")
    found = list(_operations(body))
    if not 1 <= len(found) <= MOST_OPERATIONS:
        raise NotUnderstood(400, "InvalidInput", "0:The batch request operation exceeds the maximum 100 changes.")
    return found


def redirected(body: bytes, ours: str, theirs: str) -> bytes:
    """Return a batch with the addresses of its operations led elsewhere; any other body as it is."""

    def lead(line: re.Match[bytes]) -> bytes:
        return line[0].replace(f" {ours}/".encode(), f" {theirs}/".encode(), 1)

    return _LINE.sub(lead, body)


def _operations(body: bytes) -> Iterator[Need]:
    """Yield what the operations of a batch need; each ends where the next one's request line begins."""
    lines = list(_LINE.finditer(body))
    for number, line in enumerate(lines):
        end = lines[number + 1].start() if number + 1 < len(lines) else len(body)
        head = re.split(rb"\r?\n\r?\n", body[line.end() : end], maxsplit=1)[0]
        conditional = re.search(rb"^if-match:", head, re.IGNORECASE | re.MULTILINE) is not None
        path = unquote(urlsplit(line[2].decode()).path)
        yield _need(line[1].decode(), path, conditional=conditional)


def _need(method: str, path: str, *, conditional: bool) -> Need:
    if path in {"/Tables", "/Tables()"} and method in {"GET", "POST"}:
        action = "read" if method == "GET" else "write"
        return Need(None, ((f"{_TABLES}/{action}",),), data=False)
    if (named := _NAMED.fullmatch(path)) and method in {"GET", "DELETE"}:
        action = "read" if method == "GET" else "delete"
        return Need(named[1], ((f"{_TABLES}/{action}",),), data=False)
    alternatives: dict[str, tuple[tuple[str, ...], ...]] = {}
    if table := _TABLE.fullmatch(path):
        alternatives = {"GET": ((_READ,),), "POST": ((_ADD,), (_WRITE,))}
    elif table := _ENTITY.fullmatch(path):
        changed: tuple[tuple[str, ...], ...] = ((_UPDATE,), (_WRITE,)) if conditional else ((_WRITE,), (_ADD, _UPDATE))
        alternatives = {
            "GET": ((_READ,),),
            "DELETE": ((_DELETE,),),
            "PUT": changed,
            "PATCH": changed,
            "MERGE": changed,
        }
    if table is None or method not in alternatives:
        raise NotUnderstood(400, "InvalidUri", f"{method} {path} isn't an operation that the embedded tables know.")
    return Need(table[1], alternatives[method])
