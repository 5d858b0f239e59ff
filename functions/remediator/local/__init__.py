"""Host an AWS account inside one process: what the demonstration and the end-to-end tests run against."""
