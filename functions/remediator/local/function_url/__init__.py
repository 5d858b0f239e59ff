"""Stand in front of a function as its URL does: check who calls, hand over the event, translate the answer."""
