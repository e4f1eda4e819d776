"""What the platform says of itself: documents derived from contracts, settings and commands."""
