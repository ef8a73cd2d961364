SELECT convert(varchar(33), convert(DATETIME, dateadd(millisecond, -30000, sysdatetime())), 126) AS bound;
