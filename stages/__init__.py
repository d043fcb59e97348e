"""The other kinds of learning, as environments and agents of the same loop."""
