"""Hold the fixes for Azure Storage."""
