"""The web page: what it asks of tables and topics, and the files a browser is given."""
