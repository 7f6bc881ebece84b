"""What goes in and out of the REST API, as pydantic models: one file a noun. The OpenAPI document is made of them."""
