"""Start the real Lambda runtime client inside a sandbox, with the account's clock applied before each invocation.

It runs as a script under whatever interpreter the function's runtime names, before anything of the function is
imported, and must not import the package it lies in. Arguments: task root, directory of the runtime's own packages, the
file descriptor of the shared clock (one double: seconds ahead of real time), handler.
"""

from __future__ import annotations

import mmap
import os
import struct
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import time_machine

_CAP_DAC_OVERRIDE = 1
_CAPABILITY_VERSION_3 = 0x20080522


class SharedClock:
    """Follow the clock that the host shares."""

    def __init__(self, descriptor: int) -> None:
        self._page = mmap.mmap(descriptor, struct.calcsize("d"), prot=mmap.PROT_READ)
        os.close(descriptor)
        self._offset = 0.0
        self._traveller: time_machine.Traveller | None = None

    def follow(self) -> None:
        """Move this process to the host's time, if it was shifted since the last look."""
        (offset,) = struct.unpack_from("d", self._page)
        if offset == self._offset:
            return
        if self._traveller is None:
            self._traveller = _start_travelling()
        self._traveller.shift(offset - self._offset)
        self._offset = offset


def _start_travelling() -> time_machine.Traveller:
    import time  # noqa: PLC0415 - a sandbox of an unshifted account imports nothing that Lambda's doesn't

    import time_machine  # noqa: PLC0415 - as above

    traveller = time_machine.travel(time.time(), tick=True).start()
    time.time()  # fixes the start: a travelling clock stands still until it is first read
    return traveller


def _obey_file_modes() -> None:
    """Give up root's right to ignore file modes, so that the task root is read-only for a host run as root, too."""
    import ctypes  # noqa: PLC0415 - 5 ms that a host not run as root doesn't pay

    libc = ctypes.CDLL(None, use_errno=True)
    header = struct.pack("=Ii", _CAPABILITY_VERSION_3, 0)
    sets = ctypes.create_string_buffer(24)
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    words = list(struct.unpack("=6I", sets.raw))
    for low_word in range(3):  # effective, permitted, inheritable
        words[low_word] &= ~(1 << _CAP_DAC_OVERRIDE)
    if libc.capset(header, struct.pack("=6I", *words)):
        raise OSError(ctypes.get_errno(), "capset")


def main() -> None:
    """Arrange the process as Lambda does, then hand over to the runtime client for good."""
    script, task_root, runtime_directory, descriptor, handler = sys.argv
    if os.geteuid() == 0:
        _obey_file_modes()
    clock = SharedClock(int(descriptor))
    sys.path[:0] = [task_root, runtime_directory]
    sys.argv[:] = [script]

    from awslambdaric import bootstrap  # noqa: PLC0415 - found only now that the path is set
    from awslambdaric.lambda_runtime_client import LambdaRuntimeClient  # noqa: PLC0415 - as above

    class Client(LambdaRuntimeClient):  # type: ignore[misc] # the package carries no types
        def wait_next_invocation(self) -> object:
            request = super().wait_next_invocation()
            clock.follow()
            return request

    clock.follow()
    bootstrap.run(handler, Client(os.environ["AWS_LAMBDA_RUNTIME_API"]))


if __name__ == "__main__":
    main()
