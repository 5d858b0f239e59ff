"""Know each resource type: how it is made, changed, removed and read back."""
