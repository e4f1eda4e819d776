"""How every source that is asked over HTTP is asked: one client, one way to land answers, one report of changed shapes."""
