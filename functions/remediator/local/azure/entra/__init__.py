"""Sign principals in: the tenant's directory, the tokens, and the endpoints that give them."""
