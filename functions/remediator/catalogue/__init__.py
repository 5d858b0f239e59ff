"""Know what can be fixed, and how one fix is run: one file per fix, everything else derived from it."""
