"""The server: REST, webhooks, pages."""
