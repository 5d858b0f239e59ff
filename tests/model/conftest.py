"""Put lamps into the catalogue here too."""

from tests.service.conftest import lamps_in_the_catalogue

__all__ = ["lamps_in_the_catalogue"]
