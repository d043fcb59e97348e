"""The view of the bicycle for people; `view` arranges what the other modules draw."""
