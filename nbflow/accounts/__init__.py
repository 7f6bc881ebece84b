"""People, organizations, workspaces, API keys, and what each may do."""
