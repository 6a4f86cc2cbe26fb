"""Whether campaigns reach sales in time, content helps to sell, and each job has one owner."""
