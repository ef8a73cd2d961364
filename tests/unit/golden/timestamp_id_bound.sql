SELECT convert(varchar(33), convert(DATETIME2(7), dateadd(millisecond, -5000, sysutcdatetime())), 126) AS bound;
