"""Install on Azure: what a template can't do, over the REST interfaces of Microsoft Graph and Resource Manager."""
