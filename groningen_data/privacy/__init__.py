"""What keeps persons out of the lakehouse: citizen service numbers are found here, and replaced before anything lands."""
