SELECT max(aos.[id]) AS bound
FROM [dbo].[Obs] AS aos;
