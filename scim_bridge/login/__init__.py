"""The door by which people come in: sign-in by identity providers and by their own methods, and sign-out."""
