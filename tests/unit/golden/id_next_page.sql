SELECT TOP 5000 WITH TIES aos.[id], aos.[at], aos.[station], aos.[ta], aos.[id] AS aos_id
FROM [dbo].[Obs] AS aos
WHERE aos.[id] <= 99 AND aos.[id] > 41 ORDER BY aos.[id];
