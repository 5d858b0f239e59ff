"""Hold the fixes for Azure, one file each."""
