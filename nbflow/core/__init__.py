"""The words of nbflow: documents, declarations, events, errors. No I/O, no asyncio."""
