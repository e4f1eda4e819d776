"""Assets of the collective store: thin, from mart expression to gate."""
