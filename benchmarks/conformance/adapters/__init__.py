"""One small file a tool, run by the tool's own interpreter, and what they share with the runner: the wire."""
