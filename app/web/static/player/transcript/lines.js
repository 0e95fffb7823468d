// Lines of a transcript as they are known now, and which of them are to be shown.

import { linesAt } from './timing.js';
import { folded, hasAll, shownText } from './words.js';

/** @typedef {import('../../core/types.js').TextLine} TextLine */
/** @typedef {import('../../core/types.js').TextTrack} TextTrack */
/** @typedef {TextTrack['kind']} Kind */

/** The lines of the chosen tracks, by start. */
export class TranscriptLines {
  /** @type {TextLine[]} */
  all = [];
  /** @type {string[]} */
  terms = []; // folded words that are searched for
  /** @type {Set<Kind>} */
  left = new Set(); // kinds that are not shown
  /** @type {Map<Kind, TextLine[]>} */
  byKind = new Map();
  /** @type {Map<number, Kind>} */
  kinds; // by the id of the track
  /** @type {WeakMap<TextLine, string>} */
  folded = new WeakMap();

  /** @param {TextTrack[]} tracks */
  constructor(tracks = []) {
    this.kinds = new Map(tracks.map(({ id, kind }) => [id, kind]));
  }

  /**
   * Take lines that begin after the others.
   *
   * @param {TextLine[]} lines
   */
  take(lines) {
    for (const line of lines) {
      this.all.push(line);
      const kind = this.kindOf(line);
      const alike = this.byKind.get(kind);
      if (alike) alike.push(line);
      else this.byKind.set(kind, [line]);
    }
  }

  /** Forget the lines, but not what is to be shown. */
  clear() {
    this.all = [];
    this.byKind = new Map();
  }

  /** Names of chapters. */
  get chapters() {
    return this.byKind.get('chapter') ?? [];
  }

  /** @param {TextLine} line */
  kindOf(line) {
    return this.kinds.get(line.source) ?? 'subtitle';
  }

  /**
   * Return the lines that are said or shown at a time, of all kinds.
   *
   * @param {number} seconds
   * @returns {TextLine[]}
   */
  at(seconds) {
    return [...this.byKind.values()].flatMap((lines) => linesAt(lines, seconds));
  }

  /**
   * Return those lines that are to be shown: of a kind that is not left out, and with all words that are searched for.
   *
   * @param {TextLine[]} [lines]
   * @returns {TextLine[]}
   */
  shown(lines = this.all) {
    return lines.filter((line) => !this.left.has(this.kindOf(line)) && hasAll(this.plain(line), this.terms));
  }

  /** @param {TextLine} line */
  plain(line) {
    if (!this.terms.length) return '';
    let plain = this.folded.get(line);
    if (plain === undefined) {
      plain = folded(shownText(line.text).replace(/\s/g, ' '));
      this.folded.set(line, plain);
    }
    return plain;
  }
}
