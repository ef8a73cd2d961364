// TimescaleDB's policies (compression, retention, continuous aggregates) are jobs of a background scheduler.
// One WebAssembly process has no background: this ticker runs the jobs that are due, whenever nobody owns the backend.

import { errorIn, query } from './protocol.mjs'

// Ids below 1000 are TimescaleDB's own: telemetry, which has no network here, and the tidying of its history.
const JOBS = `
  SELECT job_id, extract(epoch FROM schedule_interval)::float8 AS seconds
  FROM timescaledb_information.jobs
  WHERE scheduled AND job_id >= 1000 AND (initial_start IS NULL OR initial_start <= now())
  ORDER BY job_id`

export class Jobs {
  #backend
  #lastRun = new Map() // by job id, in ms; after a restart every job is due, which does no harm
  #timer

  constructor (backend) { this.#backend = backend }

  start (everyMilliseconds) {
    this.#timer = setTimeout(async () => {
      // A database whose extension was dropped has no jobs; that is no reason to end the server.
      if (this.#backend.idle) await this.#tick().catch((problem) => console.error('no jobs:', problem.message))
      this.start(everyMilliseconds)
    }, everyMilliseconds)
  }

  stop () { clearTimeout(this.#timer) }

  async #tick () {
    await this.#backend.acquire(this)
    try {
      for (const job of await this.#backend.rows(JOBS)) await this.#runIfDue(job)
    } finally {
      this.#backend.release(this)
    }
  }

  async #runIfDue ({ job_id: id, seconds }) {
    const now = Date.now()
    if (now - (this.#lastRun.get(id) ?? -Infinity) < seconds * 1000) return
    this.#lastRun.set(id, now)
    const problem = errorIn(await this.#backend.run(query(`CALL run_job(${id})`)))
    console.log(problem ? `job ${id} failed: ${problem}` : `job ${id} ran in ${Date.now() - now} ms`)
  }
}
