"""Ask Azure, with one subscription and the directory that it trusts."""
