"""Stand on the operator's side: what the customer's operator runs from a terminal, on both clouds.

`office.py` is what commands are written against. What both clouds do in the same way stands beside it; what they do
differently stands in `aws/` and in `azure/`, and never asks which of them it is in.
"""
