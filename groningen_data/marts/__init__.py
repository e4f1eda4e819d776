"""A module per derived table: an Ibis expression over published tables. No rounding, no suppression, no SQL text here."""
