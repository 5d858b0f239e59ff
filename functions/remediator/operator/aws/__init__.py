"""Do what the operator does on AWS: `office.py` puts the rest together."""
