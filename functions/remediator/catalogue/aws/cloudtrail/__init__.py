"""Hold the fixes for CloudTrail."""
