"""Where engine, store, catalogue and display meet. Every door (notebook, CLI, later the server) starts executions here."""
