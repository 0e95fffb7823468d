// JSON requests to the server that the page came from.

const JSON_TYPE = 'application/json';

/** A request that failed. `message` is a sentence for a person. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status; 0 where the server did not answer.
   * @param {any} body The parsed JSON of the response, or null.
   */
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/**
 * Send a request and return the parsed JSON of the response.
 *
 * @param {string} path Path and query, such as `/api/collections`.
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {any} [options.body] Sent as JSON.
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<any>} null for an empty body, or one that is not JSON.
 * @throws {ApiError} The server refused the request, failed, or did not answer. An aborted request throws AbortError.
 */
export async function api(path, { method = 'GET', body, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { 'X-Prismsearch': '1' };
  if (body !== undefined) headers['Content-Type'] = JSON_TYPE;
  let response;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new ApiError('prismsearch does not answer; is it still running in its terminal?', 0, null);
  }
  const text = await response.text();
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (!response.ok)
    throw new ApiError(answer?.error ?? (text.slice(0, 300) || response.statusText), response.status, answer);
  return answer;
}
