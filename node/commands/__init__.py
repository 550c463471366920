"""What the commands of `isac` do; `node.cli` says how they are called."""
