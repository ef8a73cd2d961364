"""What is wrong, layer by layer from the bottom: the first that fails is the headline."""
