"""A module per service, found by walking; each holds one `SERVICE`."""
