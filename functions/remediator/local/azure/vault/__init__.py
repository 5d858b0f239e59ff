"""Keep secrets as Key Vault does, data plane alone; the vaults themselves are Resource Manager's."""
