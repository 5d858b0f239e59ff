"""Deploy templates: resource groups, deployments, and what is made of the resources that they ask for."""
