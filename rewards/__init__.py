"""Rewards: functions of (before, action, after), and what loads, checks and compiles them."""
