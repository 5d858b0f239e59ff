"""Measure what the project costs; every figure is a ratio within one run, and none of this is a test."""
