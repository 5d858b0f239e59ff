"""Hold the fixes for Azure Database for PostgreSQL."""
