// Line about the moment of a shot: where it lies, a warning if it may run the other way, and how long it took.

import { isAbort, messageOf } from '../core/api.js';
import { element } from '../core/dom.js';

/** @typedef {import('../core/types.js').Moment} Moment */

const BACKWARDS = 'The shot answers the search better when it runs backwards.';

/** A line that finds the moment of one shot at a time. Empty until then. */
export class MomentLine {
  root = element('div', { class: 'ps-moment', role: 'status', hidden: true });
  /** @type {Moment | null} */
  moment = null;
  /** @type {Promise<Moment | null>} */
  found = Promise.resolve(null); // that of the shot asked for last
  /** @type {AbortController | null} */
  asked = null;

  /**
   * @param {import('../core/moments.js').Moments | null} moments null without a search whose hits have moments.
   * @param {(seconds: number) => string} codeOf Returns the time code of a time.
   */
  constructor(moments, codeOf) {
    this.moments = moments;
    this.codeOf = codeOf;
  }

  /**
   * Find the moment of a segment, in place of any other. Shows its errors itself.
   *
   * @param {number} segment
   * @returns {Promise<Moment | null>} null where there is none, or another one is asked for meanwhile.
   */
  find(segment) {
    this.clear();
    if (this.moments) this.found = this.ask(this.moments, segment);
    return this.found;
  }

  /**
   * @param {import('../core/moments.js').Moments} moments
   * @param {number} segment
   */
  async ask(moments, segment) {
    const asked = new AbortController();
    this.asked = asked;
    this.say('Finding the moment …');
    try {
      const moment = await moments.find(segment, asked.signal);
      if (this.asked !== asked) return null;
      this.moment = moment;
      this.draw(moment);
      return moment;
    } catch (error) {
      if (this.asked === asked && !isAbort(error)) this.say(`No moment: ${messageOf(error)}`);
      return null;
    }
  }

  /** Give up what is being asked for, and show nothing. */
  clear() {
    this.asked?.abort();
    this.asked = null;
    this.moment = null;
    this.found = Promise.resolve(null);
    this.root.hidden = true;
  }

  /** @param {Moment} moment */
  draw(moment) {
    const words = this.moments?.words;
    const of = words ? ` of “${words}”` : '';
    const range = `${this.codeOf(moment.start_seconds)} to ${this.codeOf(moment.end_seconds)}`;
    this.root.replaceChildren(
      element('span', {}, `Moment${of}: ${moment.is_whole ? `all of ${range}` : range}`),
      element('span', { class: 'ps-muted', text: `found in ${moment.seconds.toFixed(1)} s` }),
    );
    if (moment.note) {
      const text = moment.note[0].toUpperCase() + moment.note.slice(1);
      this.root.append(element('span', { class: 'ps-warning', text, title: BACKWARDS }));
    }
    this.root.hidden = false;
  }

  /** @param {string} text */
  say(text) {
    this.root.replaceChildren(element('span', { class: 'ps-muted', text }));
    this.root.hidden = false;
  }
}
