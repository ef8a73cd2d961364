"""What we are measured beside: programs of their own, which import nothing of ours."""
