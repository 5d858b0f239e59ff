"""Hold the fixes for Azure Key Vault."""
