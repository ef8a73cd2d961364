SELECT TOP 5000 WITH TIES aos.[id], aos.[at], aos.[station], aos.[ta]
FROM [dbo].[Obs] AS aos
WHERE aos.[id] <= 99 AND aos.[id] > 41 ORDER BY aos.[id];
