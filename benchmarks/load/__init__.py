"""What docqa holds under load, measured."""
