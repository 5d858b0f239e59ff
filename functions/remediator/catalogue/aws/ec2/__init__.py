"""Hold the fixes for EC2."""
