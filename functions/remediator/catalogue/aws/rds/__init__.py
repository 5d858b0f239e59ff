"""Hold the fixes for RDS."""
