"""Carry out templates resource by resource, through each service's own API."""
