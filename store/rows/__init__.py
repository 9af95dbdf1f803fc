"""Rows of sources in the store: how they come in, lie there, and are read again; pushed ones too."""
