"""Name the clouds that the story can be told on."""

from enum import StrEnum


class Cloud(StrEnum):
    """Choose one, or all of them."""

    AWS = "aws"
    AZURE = "azure"
    ALL = "all"
