"""What all tests share: Python looks for cycles among the many lasting objects of large imports as rarely as `groningen` does."""

import gc

gc.set_threshold(50_000, 20, 50)
