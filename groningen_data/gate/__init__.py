"""The gate: stage a batch, audit it against its contract and suite, and publish it or reject it, in one transaction."""
