// JSON requests to the server that the page came from.

import { tellTabs } from './look_again.js';

const JSON_TYPE = 'application/json';
/** The event of the window that tells of a request without an answer. */
export const UNREACHABLE = 'prismsearch-unreachable';

/**
 * The JSON of a response that refuses a request.
 *
 * @typedef {object} Refusal
 * @property {string} [error] A sentence for a person.
 * @property {import('./types.js').Subclip} [current] The subclip as it is now, where another change came first (409).
 */

/** A request that failed. `message` is a sentence for a person. */
export class ApiError extends Error {
  /**
   * @param {string} message
   * @param {number} status HTTP status; 0 where the server did not answer.
   * @param {Refusal | null} body
   */
  constructor(message, status, body) {
    super(message);
    this.status = status;
    this.body = body;
  }
}

/**
 * Return the message of a caught error.
 *
 * @param {unknown} error
 * @returns {string}
 */
export function messageOf(error) {
  return error instanceof Error ? error.message : String(error);
}

/**
 * Return whether a caught error is that of an aborted request, which is not reported.
 *
 * @param {unknown} error
 * @returns {boolean}
 */
export function isAbort(error) {
  return error instanceof Error && error.name === 'AbortError';
}

/**
 * Send a request and return the parsed JSON of the response.
 *
 * @template T The type that the caller expects of the response; nothing checks it.
 * @param {string} path Path and query, such as `/api/collections`.
 * @param {object} [options]
 * @param {string} [options.method]
 * @param {unknown} [options.body] Sent as JSON.
 * @param {AbortSignal} [options.signal]
 * @returns {Promise<T>} null for an empty body, or one that is not JSON.
 * @throws {ApiError} The server refused the request, failed, or did not answer. An aborted request throws AbortError.
 */
export async function api(path, { method = 'GET', body, signal } = {}) {
  /** @type {Record<string, string>} */
  const headers = { 'X-Prismsearch': '1' };
  if (body !== undefined) headers['Content-Type'] = JSON_TYPE;
  let response;
  let text;
  try {
    response = await fetch(path, {
      method,
      headers,
      signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    text = await response.text();
  } catch (error) {
    if (isAbort(error)) throw error;
    dispatchEvent(new Event(UNREACHABLE));
    throw new ApiError('prismsearch is not responding; is it still running in its terminal?', 0, null);
  }
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    answer = null;
  }
  if (!response.ok)
    throw new ApiError(answer?.error ?? (text.slice(0, 300) || response.statusText), response.status, answer);
  if (method !== 'GET') tellTabs();
  return answer;
}
