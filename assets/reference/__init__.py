"""Assets of the reference store: thin, from source to gate."""
