"""Hold the fixes for KMS."""
