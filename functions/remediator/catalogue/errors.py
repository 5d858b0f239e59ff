"""Name what is the case when a fix can't be run."""


class Unfit(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse to run a fix as asked. The message is for the caller and says what to do next."""


class UnknownFix(Unfit):
    """Refuse a fix, or a scanner's finding, that the catalogue doesn't know."""


class BadTarget(Unfit):
    """Refuse a target that isn't one of the fix's kind."""


class BadParameters(Unfit):
    """Refuse parameters that the fix doesn't take."""


class NotApplicable(Unfit):
    """Say that the setting can't be what is desired on this target, whatever is tried."""


class Underway(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that the cloud is still carrying out a change: what the setting will be can't be told yet."""


class Overtaken(Exception):  # noqa: N818 - errors are named for what is the case
    """Say that somebody else changed the setting between the look and the write; nothing was written."""
