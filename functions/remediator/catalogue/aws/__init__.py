"""Hold the fixes for AWS: one package for each service, one file for each fix."""
