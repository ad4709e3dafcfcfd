"""How right the decisions and the measures are."""
