"""Hold the fixes for IAM."""
