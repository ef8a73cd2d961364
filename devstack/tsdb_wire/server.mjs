// TimescaleDB (WebAssembly) behind a PostgreSQL socket, for a machine without Docker. Node 20 or newer.
//
//   TSDB_PORT=5433 TSDB_PASSWORD=... TSDB_PACKAGES=.../node_modules TSDB_DATA=... node server.mjs
//
// The package's own socket server does not serve us: it cannot do COPY FROM STDIN, and the prepared statements
// of all its clients share one set of names. Limits that remain, because there is one backend: a client in a
// transaction makes the others wait, SET and temporary tables are seen by all, advisory locks never conflict.

import net from 'node:net'
import { Backend } from './backend.mjs'
import { Jobs } from './jobs.mjs'
import { Session } from './session.mjs'

const { TSDB_PORT, TSDB_PASSWORD, TSDB_PACKAGES, TSDB_DATA, TSDB_TICK_MS = '1000' } = process.env
const HOST = '127.0.0.1'
const ENGINE_TRAPPED = 70

const started = Date.now()
const sockets = new Set()

const backend = await Backend.open({
  packages: TSDB_PACKAGES,
  dataDirectory: TSDB_DATA,
  onTrap (trap) {
    // What is on disk is whole; what is in the engine's memory can no longer be trusted.
    console.error('the WebAssembly engine trapped; exiting', trap)
    process.exit(ENGINE_TRAPPED)
  }
})
const jobs = new Jobs(backend)

const server = net.createServer({ noDelay: true }, (socket) => {
  sockets.add(socket)
  socket.on('close', () => sockets.delete(socket))
  socket.on('error', () => {}) // a client that vanished; its session sees the end of the stream
  new Session(socket, backend, TSDB_PASSWORD).serve().catch((problem) => {
    if (!socket.destroyed) console.error('session ended:', problem)
  })
})

async function stop () {
  jobs.stop()
  server.close()
  for (const socket of sockets) socket.destroy()
  await backend.close()
  process.exit(0)
}
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)

server.listen(Number(TSDB_PORT), HOST, () => {
  jobs.start(Number(TSDB_TICK_MS))
  console.log(`ready ${HOST}:${TSDB_PORT} PostgreSQL ${backend.version} in ${Date.now() - started} ms`)
})
