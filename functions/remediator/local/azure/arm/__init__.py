"""Embed Azure Resource Manager: the types of resources that fixes repair, held to Azure's own descriptions."""
