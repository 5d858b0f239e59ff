"""Hold the fixes for Azure SQL."""
