"""Name the reasons for which nothing is synthesized."""


class Refused(Exception):  # noqa: N818 - errors are named for what is the case
    """Refuse to synthesize. The message is for who deploys and says what to do."""
