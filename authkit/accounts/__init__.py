"""How a person signs in and out."""
