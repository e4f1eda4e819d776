"""Assets of the welfare store: thin, from source to gate."""
