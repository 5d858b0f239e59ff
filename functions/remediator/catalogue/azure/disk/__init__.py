"""Hold the fixes for Azure's managed disks."""
