"""Stand on the operator's side: what the customer's operator runs from a terminal, on both clouds.

`office.py` is what commands are written against. What both clouds do in the same way stands in a file by its own name;
what they do differently stands in two, `aws_….py` and `azure_….py`, and `on_each` chooses.
"""
