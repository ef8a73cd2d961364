SELECT convert(varchar(18), min_active_rowversion(), 1) AS bound;
