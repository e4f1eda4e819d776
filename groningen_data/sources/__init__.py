"""A module per external system: how its payloads are found and what they look like. Nothing here writes to the lakehouse."""
