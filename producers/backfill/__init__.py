"""The historical backfill: readings by observation time, in chunks, beside the incremental reader.

Each page of a chunk goes out in one transaction with the record of how far the chunk is, so every
reading is published once however often the job is killed. The rows carry the same source version
as they do when the incremental reader meets them: for whoever comes after, the second is a repeat.
"""
