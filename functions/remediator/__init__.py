"""Repair one cloud setting at a time, through a gate that only a live code opens."""
