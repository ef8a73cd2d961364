SELECT convert(varchar(33), convert(SMALLDATETIME, dateadd(millisecond, -60000, sysutcdatetime())), 126) AS bound;
