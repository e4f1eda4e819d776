"""The embedded sample city: Groningen's areas and sites with made-up figures, in the sources' own wire formats."""
