"""Name what is the case when a use case can't go on."""


class Interrupted(Exception):  # noqa: N818 - errors are named for what is the case
    """Stop a use case; nothing is lost, and the next run or request goes on."""


class LeaseTaken(Interrupted):
    """Another run of the rotator holds the lease; this one fails, so that its retry comes."""


class Frozen(Interrupted):
    """The operator has frozen the deployment: nothing opens until it is unfrozen."""


class ClaimLost(Interrupted):
    """Another request has taken this execution record over; whoever holds it now writes its receipts."""


class GateShut(Interrupted):
    """The gate didn't open although code and opening are right: the fault is on our side."""


class TagsUnread(Interrupted):
    """The cloud didn't show the tags of what it was asked about, though it refused nothing."""


class SessionTooLarge(Interrupted):
    """The session's policy is too large for the cloud; fewer targets must share it."""


class NotDone(Interrupted):
    """A step of freezing or unfreezing wasn't done; running it again repairs whatever was left."""


class FrozenAgain(NotDone):
    """Somebody froze the deployment while it was being unfrozen, and that wins."""


class NotLive(Interrupted):
    """The window isn't staged, or isn't the one that is live now."""


class Spent(Interrupted):
    """Wrong codes have closed the window's admission; the next window can be admitted."""
