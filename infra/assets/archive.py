"""Write archives whose bytes depend on nothing but their content, and on the zlib that packs them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_LONG_AGO: Final = (1980, 1, 1, 0, 0, 0)
_READ_ONLY_FILE: Final = 0o100644 << 16


def write_archive(path: Path, files: Mapping[str, bytes]) -> None:
    """Write files in the order of their names, all of the same age and mode."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _LONG_AGO)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = _READ_ONLY_FILE
            archive.writestr(entry, content, compresslevel=9)
