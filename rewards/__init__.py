"""What counts as good: small functions of (before, action, after), and how they are put to use."""
