"""What a node does, one module a verb: every door calls these, nothing else does."""
