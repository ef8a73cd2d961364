"""Which sensors are still heard: their rhythm, who has fallen silent, who is back."""
