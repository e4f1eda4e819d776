"""The gate: judge and stage a batch, audit it, and publish or reject it, in one transaction with its row in the ledger."""
