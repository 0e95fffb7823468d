// A server to test with, in place of `fetch`.

/**
 * An answer as JSON, a Response, or a function of the request's JSON that returns one of these.
 *
 * @typedef {unknown | Response | ((body: unknown) => unknown)} Answer
 */

/** Answers requests from a table, by method and address, with or without its query: `{'GET /api/runs': {runs: []}}`. */
export class FakeServer {
  /** @param {Record<string, Answer>} answers Those that are missing are refused with 404. */
  constructor(answers = {}) {
    this.answers = answers;
    this.down = false; // whether the server does not answer at all
    /** @type {{line: string, body: unknown}[]} */
    this.requests = [];
  }

  /**
   * Answer for `fetch` until the test ends.
   *
   * @param {import('node:test').TestContext} context
   * @returns {this}
   */
  serve(context) {
    context.mock.method(globalThis, 'fetch', (/** @type {string} */ address, /** @type {RequestInit} */ options = {}) =>
      this.answer(`${options.method ?? 'GET'} ${address}`, options),
    );
    return this;
  }

  /**
   * @param {string} line Method and address.
   * @param {RequestInit} options
   * @returns {Promise<Response>}
   */
  async answer(line, { body, signal }) {
    signal?.throwIfAborted();
    const sent = typeof body === 'string' ? JSON.parse(body) : undefined;
    this.requests.push({ line, body: sent });
    if (this.down) throw new TypeError('Failed to fetch');
    const place = line in this.answers ? line : line.split('?')[0];
    if (!(place in this.answers)) return refusal(404, `There is no ${line}.`);
    const known = this.answers[place];
    const answer = typeof known === 'function' ? await known(sent) : known;
    signal?.throwIfAborted();
    return answer instanceof Response ? answer : Response.json(answer);
  }

  /** Return the requests so far, and forget them. */
  asked() {
    return this.requests.splice(0).map(({ line }) => line);
  }
}

/**
 * Return the answer that refuses a request, as the server gives it.
 *
 * @param {number} status
 * @param {string} error
 * @param {Record<string, unknown>} [facts]
 * @returns {Response}
 */
export function refusal(status, error, facts = {}) {
  return Response.json({ error, ...facts }, { status });
}

/** Wait until requests that were answered have been dealt with. Mocked timers do not run meanwhile. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((done) => setImmediate(done));
}
