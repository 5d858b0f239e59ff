"""Adapt moto, pinned to one version: everything that depends on its inside is in this package, with a test per hook."""
