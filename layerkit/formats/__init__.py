"""What bytes mean; pure and suspicious."""
