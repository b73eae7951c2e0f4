"""Drop-ins for other systems."""
