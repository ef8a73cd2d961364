// One client's connection: greeting, then its messages one by one, each run while the session owns the backend.

import { Reader, cString, copyInResponse, errorResponse, int32, message, query, readyForQuery, statusIn, withoutReady } from './protocol.mjs'

const PROTOCOL_3 = 196608
const CANCEL_REQUEST = 80877102
const TLS_REQUEST = 80877103
const GSS_REQUEST = 80877104

const COPY_IN = /^\s*copy\s[\s\S]*?\sfrom\s+stdin\b/i
const BINARY = /binary/i
const DEALLOCATE = /^\s*deallocate\s+(?:prepare\s+)?("?)(\w+)\1\s*;?\s*$/i

const PARSE_COMPLETE = message('1')
const BIND_COMPLETE = message('2')
const NO_DATA = message('n')

let sessions = 0

export class Session {
  #id = ++sessions
  #socket
  #reader
  #backend
  #password
  #status = 'I'
  #copy = null          // a COPY whose data are arriving: { sql, parts, extended }
  #copyStatement = null // a COPY that was parsed by the extended protocol and waits for Execute
  #prepared = false     // whether it ever named a prepared statement

  constructor (socket, backend, password) {
    this.#socket = socket
    this.#reader = new Reader(socket)
    this.#backend = backend
    this.#password = password
  }

  /** Serves the client until it leaves; whatever it left open is rolled back. */
  async serve () {
    try {
      if (!await this.#greet()) return
      for (let m = await this.#reader.next(); m && m.type !== 'X'; m = await this.#reader.next()) await this.#handle(m)
    } finally {
      await this.#leave()
      this.#socket.destroy()
    }
  }

  #send (bytes) { if (bytes.length && !this.#socket.destroyed) this.#socket.write(bytes) }

  async #run (bytes) {
    const reply = await this.#backend.run(bytes)
    this.#status = statusIn(reply) ?? this.#status
    return reply
  }

  #releaseWhenIdle () { if (this.#status === 'I') this.#backend.release(this) }

  // ---- coming and going

  async #greet () {
    for (let body = await this.#reader.startup(); body; body = await this.#reader.startup()) {
      const code = body.readInt32BE(0)
      if (code === CANCEL_REQUEST) return false // there is no second backend that could cancel the first
      if (code === TLS_REQUEST || code === GSS_REQUEST) this.#send(Buffer.from('N'))
      else if (code === PROTOCOL_3 || code >> 16 === 3) return this.#login()
      else return false
    }
    return false
  }

  async #login () {
    this.#send(message('R', int32(3))) // a password in the clear: the socket is a loopback one
    const answer = await this.#reader.next()
    if (!answer) return false
    if (answer.type !== 'p' || cString(answer.body)[0] !== this.#password) {
      this.#socket.end(errorResponse('FATAL', '28P01', 'password authentication failed'))
      return false
    }
    this.#welcome()
    return true
  }

  #welcome () {
    const parameters = {
      server_version: this.#backend.version,
      server_encoding: 'UTF8',
      client_encoding: 'UTF8',
      DateStyle: 'ISO, MDY',
      TimeZone: 'GMT',
      integer_datetimes: 'on',
      standard_conforming_strings: 'on'
    }
    this.#send(message('R', int32(0)))
    for (const [name, value] of Object.entries(parameters)) this.#send(message('S', name, value))
    this.#send(message('K', int32(this.#id), int32(0)))
    this.#send(readyForQuery('I'))
  }

  async #leave () {
    if (this.#status !== 'I') await this.#run(query('ROLLBACK'))
    if (this.#prepared) {
      await this.#backend.acquire(this)
      await this.#run(query(this.#deallocateAll()))
    }
    this.#backend.release(this)
  }

  // ---- prepared statements: all clients share the backend's names, so each session's names get its prefix

  #name (name) {
    if (name === '') return ''
    this.#prepared = true
    return `s${this.#id}_${name}`
  }

  #deallocateAll () {
    return `DO $$ DECLARE mine text; BEGIN
      FOR mine IN SELECT name FROM pg_prepared_statements WHERE starts_with(name, 's${this.#id}_')
      LOOP EXECUTE format('DEALLOCATE %I', mine); END LOOP; END $$`
  }

  #ownNames (sql) {
    const name = DEALLOCATE.exec(sql)?.[2]
    if (name === undefined) return sql
    return name.toLowerCase() === 'all' ? this.#deallocateAll() : `DEALLOCATE "${this.#name(name)}"`
  }

  // ---- messages

  async #handle (m) {
    if (this.#copy) return this.#receiveCopy(m)
    await this.#backend.acquire(this)
    switch (m.type) {
      case 'Q': return this.#simple(cString(m.body)[0])
      case 'P': return this.#parse(m.body)
      case 'B': return this.#copyStatement ? this.#send(BIND_COMPLETE) : this.#bind(m.body)
      case 'D': case 'C': return this.#copyStatement ? this.#send(NO_DATA) : this.#describeOrClose(m)
      case 'E': if (this.#copyStatement) return this.#startCopy(this.#copyStatement, true)
    }
    this.#send(await this.#run(m.bytes))
    if (m.type === 'S') this.#releaseWhenIdle()
  }

  async #simple (sql) {
    if (COPY_IN.test(sql)) return this.#startCopy(sql, false)
    this.#send(await this.#run(query(this.#ownNames(sql))))
    this.#releaseWhenIdle()
  }

  async #parse (body) {
    const [name, afterName] = cString(body)
    const [sql, afterSql] = cString(body, afterName)
    this.#copyStatement = COPY_IN.test(sql) ? sql : null
    if (this.#copyStatement) return this.#send(PARSE_COMPLETE)
    this.#send(await this.#run(message('P', this.#name(name), this.#ownNames(sql), body.subarray(afterSql))))
  }

  async #bind (body) {
    const [portal, afterPortal] = cString(body)
    const [name, afterName] = cString(body, afterPortal)
    this.#send(await this.#run(message('B', portal, this.#name(name), body.subarray(afterName))))
  }

  async #describeOrClose (m) {
    const [name] = cString(m.body, 1)
    const isStatement = m.body[0] === 'S'.charCodeAt(0)
    this.#send(await this.#run(message(m.type, m.body.subarray(0, 1), isStatement ? this.#name(name) : name)))
  }

  // ---- COPY FROM STDIN: the data are gathered in memory, then run as one file

  #startCopy (sql, extended) {
    this.#copyStatement = null
    this.#copy = { sql, parts: [], extended }
    this.#send(copyInResponse(BINARY.test(sql)))
  }

  async #receiveCopy (m) {
    if (m.type === 'd') this.#copy.parts.push(Buffer.from(m.body))
    else if (m.type === 'c') await this.#finishCopy()
    else if (m.type === 'f') await this.#failCopy(cString(m.body)[0])
    // Flush and Sync mean nothing until the data have ended.
  }

  async #finishCopy () {
    const { sql, parts, extended } = this.#copy
    this.#copy = null
    const reply = await this.#backend.copy(sql, parts)
    this.#status = statusIn(reply) ?? this.#status
    this.#send(extended ? withoutReady(reply) : reply)
    if (!extended) this.#releaseWhenIdle()
  }

  async #failCopy (reason) {
    const { extended } = this.#copy
    this.#copy = null
    this.#send(errorResponse('ERROR', '57014', `COPY from stdin failed: ${reason}`))
    // The backend has not heard of this COPY: let its transaction fail as it would have.
    if (this.#status === 'T') await this.#run(query("DO $$ BEGIN RAISE 'copy failed'; END $$"))
    if (extended) return
    this.#send(readyForQuery(this.#status))
    this.#releaseWhenIdle()
  }
}
