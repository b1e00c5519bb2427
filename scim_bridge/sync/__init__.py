"""Use cases that make clusters as the store says they should be."""
