"""Decide what principals may do: role definitions, role assignments, and one evaluation for all services."""
