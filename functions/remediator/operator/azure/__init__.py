"""Do what the operator does on Azure: `office.py` puts the rest together."""
