"""Embed Azure: Entra, Graph, Key Vault, Table Storage, Resource Manager and function apps under their real names."""
