"""The data logic of the municipality's lakehouse: contracts, sources, gate, lakehouse, marts and serving.

Nothing here knows the orchestrator, except the two composition roots `definitions` and `cli`.
"""

__version__ = "0.1.0"
