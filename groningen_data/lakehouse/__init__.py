"""The lakehouse: DuckLake on a SQLite or PostgreSQL catalog. Attaching, writing one at a time, tables from contracts, upkeep."""

from groningen_data.lakehouse.connection import Lakehouse
from groningen_data.lakehouse.lock import WriterLock

__all__ = ["Lakehouse", "WriterLock"]
