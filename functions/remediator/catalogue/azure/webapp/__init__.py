"""Hold the fixes for Azure App Service."""
