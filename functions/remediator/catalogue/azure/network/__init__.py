"""Hold the fixes for Azure's networks."""
