"""The suites, a package per store and a module per table, and the adapter from contract and suite to asset checks."""
