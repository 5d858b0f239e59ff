"""Hold the fixes for S3."""
