"""Name what is the case when trust is refused."""


class Untrusted(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse to trust what was presented."""


class Malformed(Untrusted):
    """Refuse a text that isn't in the one form the protocol allows. The message never quotes it."""


class Expired(Untrusted):
    """Refuse a window, or a signature's time, that isn't live by the verifier's clock."""


class WrongCode(Untrusted):
    """Refuse a code and an opening that don't belong to the window."""


class BadSignature(Untrusted):
    """Refuse a signature that the window's proof key didn't make over exactly this message."""
