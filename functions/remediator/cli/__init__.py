"""Give everything here a command: `remediator`."""
