"""Assets of the traffic store: thin, from source to gate."""
