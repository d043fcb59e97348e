"""The bicycle, drawn for people: `view` arranges the panels that the other modules draw."""
