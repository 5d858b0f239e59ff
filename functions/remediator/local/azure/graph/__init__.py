"""Answer as Microsoft Graph v1.0 does, for what an installer needs: apps, their principals, their roles."""
