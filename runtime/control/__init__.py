"""Orders to the stages and word of how they are, over two compacted topics, wherever they run."""
