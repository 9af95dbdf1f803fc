"""The registry: definitions, their versions, what a change breaks, and where values come from."""
