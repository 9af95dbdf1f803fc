"""Lance tables as lists of files that digests vouch for."""
