"""Flow documents to events. Knows no node type by name; everything outside is lent to it (`services.py`)."""
