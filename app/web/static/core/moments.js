// Moments: the stretches of hits' shots that answer the search. Finding one takes seconds, so each is asked for once.

import { api } from './api.js';

/** @typedef {import('./types.js').Moment} Moment */

const MOST_CHARACTERS = 60;

/** The moments of one search. */
export class Moments {
  /** @type {Map<number, Moment>} */
  known = new Map(); // by the segment of the hit

  /** @param {string} link The search, as the page's address has it. */
  constructor(link) {
    this.link = link;
  }

  /** The beginning of the words that are searched for; '' where examples are searched for alone. */
  get words() {
    const words = new URLSearchParams(this.link).get('q') ?? '';
    return words.length > MOST_CHARACTERS ? `${words.slice(0, MOST_CHARACTERS)} …` : words;
  }

  /**
   * Return the moment of a hit.
   *
   * @param {number} segment
   * @param {AbortSignal} [signal] Ends the server's work, too.
   * @returns {Promise<Moment>}
   * @throws {import('./api.js').ApiError} It cannot be found. An aborted request throws AbortError.
   */
  async find(segment, signal) {
    const known = this.known.get(segment);
    if (known) return known;
    /** @type {Moment} */
    const found = await api(`/api/moment/${segment}?link=${encodeURIComponent(this.link)}`, { signal });
    this.known.set(segment, found);
    return found;
  }
}

/**
 * Return the moments of a search that the page passes.
 *
 * @param {string | undefined} link '' for none, and for a search whose hits have no moments.
 * @returns {Moments | null}
 */
export function momentsOf(link) {
  return link ? new Moments(link) : null;
}
