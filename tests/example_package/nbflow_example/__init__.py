"""The smallest package that brings a node type to nbflow."""
