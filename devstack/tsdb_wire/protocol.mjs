// PostgreSQL's wire protocol, version 3, as bytes: building messages, reading them, looking into replies.
// A message is: type (1 byte), length (int32, counts itself), body. The first ones of a connection have no type.

const HEADER = 5

export const int32 = (number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(number)
  return bytes
}

/** Builds a message; a string among the fields becomes a C string. */
export function message (type, ...fields) {
  const body = Buffer.concat(fields.map((field) => typeof field === 'string' ? Buffer.from(field + '\0') : field))
  return Buffer.concat([Buffer.from(type), int32(body.length + 4), body])
}

export const query = (sql) => message('Q', sql)

export function errorResponse (severity, code, text) {
  return message('E', `S${severity}`, `V${severity}`, `C${code}`, `M${text}`, Buffer.from([0]))
}

export const readyForQuery = (status) => message('Z', Buffer.from(status))

/** Tells the client to start sending a COPY; the columns' formats stay unsaid, as no client of ours asks. */
export const copyInResponse = (binary) => message('G', Buffer.from([binary ? 1 : 0, 0, 0]))

/** Gives a C string and the offset behind it. */
export function cString (buffer, offset = 0) {
  const end = buffer.indexOf(0, offset)
  return [buffer.toString('utf8', offset, end), end + 1]
}

/** Walks over the messages of a complete reply. */
function * split (reply) {
  for (let at = 0; at + HEADER <= reply.length;) {
    const end = at + 1 + reply.readInt32BE(at + 1)
    yield { type: String.fromCharCode(reply[at]), body: reply.subarray(at + HEADER, end), bytes: reply.subarray(at, end) }
    at = end
  }
}

/** Finds the transaction status (I idle, T in a transaction, E in a failed one) a reply ends with, if it does. */
export function statusIn (reply) {
  let status = null
  for (const { type, body } of split(reply)) if (type === 'Z') status = String.fromCharCode(body[0])
  return status
}

export const withoutReady = (reply) => Buffer.concat([...split(reply)].filter((m) => m.type !== 'Z').map((m) => m.bytes))

/** Gives the text of the first error in a reply, or null. */
export function errorIn (reply) {
  for (const { type, body } of split(reply)) {
    if (type !== 'E') continue
    for (let at = 0; body[at] !== 0;) {
      const [field, next] = cString(body, at)
      if (field[0] === 'M') return field.slice(1)
      at = next
    }
  }
  return null
}

/** Cuts a socket's stream into messages. Reads only on demand, so a slow backend slows its client down. */
export class Reader {
  #chunks
  #buffer = Buffer.alloc(0)

  constructor (socket) { this.#chunks = socket[Symbol.asyncIterator]() }

  async #atLeast (size) {
    const parts = [this.#buffer]
    let have = this.#buffer.length
    while (have < size) {
      const { value, done } = await this.#chunks.next()
      if (done) return false
      parts.push(value)
      have += value.length
    }
    if (parts.length > 1) this.#buffer = Buffer.concat(parts)
    return true
  }

  #take (size) {
    const bytes = this.#buffer.subarray(0, size)
    this.#buffer = this.#buffer.subarray(size)
    return bytes
  }

  /** Gives the body of a message without type, or null at the end of the stream. */
  async startup () {
    if (!await this.#atLeast(4)) return null
    const size = this.#buffer.readInt32BE(0)
    return await this.#atLeast(size) ? this.#take(size).subarray(4) : null
  }

  /** Gives the next message, or null at the end of the stream. */
  async next () {
    if (!await this.#atLeast(HEADER)) return null
    const size = 1 + this.#buffer.readInt32BE(1)
    if (!await this.#atLeast(size)) return null
    const bytes = this.#take(size)
    return { type: String.fromCharCode(bytes[0]), body: bytes.subarray(HEADER), bytes }
  }
}
