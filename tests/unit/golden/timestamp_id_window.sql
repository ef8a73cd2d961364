SELECT convert(varchar(33), convert(DATETIME2(7), dateadd(millisecond, -3605000, sysutcdatetime())), 126) AS bound;
