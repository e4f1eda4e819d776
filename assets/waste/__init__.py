"""Assets of the waste store: thin, from source to gate."""
