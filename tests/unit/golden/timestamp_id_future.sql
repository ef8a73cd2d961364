SELECT count(*) AS count_1
FROM [dbo].[Obs] AS aos
WHERE aos.[changed] > convert(DATETIME2(7), convert(varchar(33), convert(DATETIME2(7), dateadd(millisecond, 60000, sysutcdatetime())), 126), 126);
