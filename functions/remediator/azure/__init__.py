"""Run the use cases on Azure: adapters to the SDKs, and the functions' entry points."""
