SELECT TOP 5000 aos.[id], aos.[at], aos.[station], aos.[ta], convert(varchar(33), aos.[changed], 126) AS aos_time
FROM [dbo].[Obs] AS aos
WHERE aos.[changed] < convert(DATETIME2(7), '2020-01-01T00:05:00', 126) AND aos.[changed] >= convert(DATETIME2(7), '2020-01-01T00:00:00.1234567', 126) AND (aos.[changed] > convert(DATETIME2(7), '2020-01-01T00:00:00.1234567', 126) OR aos.[id] > 41) ORDER BY aos.[changed], aos.[id];
