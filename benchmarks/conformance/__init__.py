"""The law of time as a table of cases that runs against NowThen and other tools: see docs/conformance.md."""
