SELECT max(aos.[id]) AS bound
FROM [dbo].[Obs] AS aos
WHERE aos.[changed] IS NULL;
