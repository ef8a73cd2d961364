SELECT TOP 5000 WITH TIES aos.[id], aos.[at], aos.[station], aos.[ta], convert(varchar(18), convert(binary(8), aos.[rv]), 1) AS aos_rowversion
FROM [dbo].[Obs] AS aos
WHERE aos.[rv] < convert(binary(8), '0x0000000000000BB8', 1) AND aos.[rv] > convert(binary(8), '0x00000000000007D1', 1) ORDER BY aos.[rv];
