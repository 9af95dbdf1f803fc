"""The ledger that decides what there is, and the notes that its entries name."""
