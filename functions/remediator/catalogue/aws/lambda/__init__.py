"""Hold the fixes for Lambda."""
