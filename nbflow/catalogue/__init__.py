"""The catalogue: a folder is a group, a file is one node type. Other files here are what several types share."""
