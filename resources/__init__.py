"""Dagster resources: the lakehouse, the landing, and who hears what is going on."""
