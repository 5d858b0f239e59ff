"""Serve Table Storage: Azurite keeps the data, and what is in front of it checks tokens and roles."""
