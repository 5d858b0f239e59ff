"""Try on real clouds what no emulator can show. Nothing here runs by itself: see docs/live.md."""
