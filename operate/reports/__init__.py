"""Reports of quality for people with five minutes: a page and a document, of a week or any days."""
