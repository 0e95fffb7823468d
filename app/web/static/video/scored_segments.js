// Segments of a video in order, with their scores for the search.

/**
 * Id, number of the shot, start and end in seconds.
 *
 * @typedef {[number, number, number, number]} SegmentRow
 */

const HIT_PIXELS = 2; // around the pointer, so that a peak of one pixel can be hit
const MOST_PEAKS = 12;
const PEAK_SHARE = 0.45; // of the colour ramp
const PEAK_PIXELS = 96; // between two peaks, so that their labels do not touch

/** Indices are those of the segments. */
export class ScoredSegments {
  /**
   * @param {SegmentRow[]} rows
   * @param {number[] | null} scores Of each segment; null without a search.
   * @param {number} low Score of the lowest colour.
   * @param {number} high Score of the highest colour.
   */
  constructor(rows, scores = null, low = 0, high = 1) {
    this.rows = rows;
    this.scores = scores;
    this.low = low;
    this.high = high;
    /** @type {Map<number, {first: number, count: number}>} */
    this.shots = new Map(); // by number: index of the first segment, and the number of segments, which lie side by side
    rows.forEach(([, shot], at) => {
      const known = this.shots.get(shot);
      if (known) known.count += 1;
      else this.shots.set(shot, { first: at, count: 1 });
    });
    /** Low scores first, so that where many share a pixel the best is drawn on top. */
    this.order = [...rows.keys()];
    if (scores) this.order.sort((a, b) => scores[a] - scores[b]);
  }

  /**
   * Return which part of its shot a segment is, and of how many.
   *
   * @param {number} at
   * @returns {{part: number, part_count: number}}
   */
  partOf(at) {
    const { first, count } = this.shots.get(this.rows[at][1]) ?? { first: at, count: 1 };
    return { part: at - first + 1, part_count: count };
  }

  /** Seconds at which the last one ends; 0 where there is none. */
  get end() {
    return this.rows.at(-1)?.[3] ?? 0;
  }

  /**
   * Return the index of the segment at a time; of the nearest one where there is none.
   *
   * @param {number} seconds
   * @returns {number}
   */
  indexAt(seconds) {
    let low = 0;
    let high = this.rows.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.rows[middle][2] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /**
   * Return the index of the segment under the pointer: of the best one within a few pixels, where there are many.
   *
   * @param {number} x
   * @param {import('./viewport.js').Viewport} viewport
   * @returns {number}
   */
  indexNear(x, viewport) {
    const at = this.indexAt(viewport.secondsAt(x));
    const first = this.indexAt(viewport.secondsAt(x - HIT_PIXELS));
    const last = this.indexAt(viewport.secondsAt(x + HIT_PIXELS));
    return last - first < 2 ? at : this.best(first, last, at);
  }

  /**
   * Return the index of the best segment from `first` to `last`.
   *
   * @param {number} first
   * @param {number} last
   * @param {number} otherwise Index to return where none is better, or without a search.
   * @returns {number}
   */
  best(first, last, otherwise) {
    const { scores } = this;
    if (!scores) return otherwise;
    let best = otherwise;
    for (let at = first; at <= last; at += 1) if (scores[at] > scores[best]) best = at;
    return best;
  }

  /**
   * Return a segment's place on the colour ramp.
   *
   * @param {number} at
   * @returns {number | null} 0 to 1; null without a search.
   */
  share(at) {
    return this.scores && Math.min(1, Math.max(0, (this.scores[at] - this.low) / (this.high - this.low)));
  }

  /**
   * Return the peaks: the best segments that are shown, far enough apart to be labelled.
   *
   * @param {import('./viewport.js').Viewport} viewport
   * @returns {number[]} Best first.
   */
  peaks(viewport) {
    /** @type {number[]} */
    const found = [];
    /** @type {number[]} */
    const places = [];
    for (let place = this.order.length - 1; place >= 0 && found.length < MOST_PEAKS; place -= 1) {
      const at = this.order[place];
      const share = this.share(at);
      if (share === null || share < PEAK_SHARE) break;
      const [, , start, end] = this.rows[at];
      if (!viewport.shows(start, end)) continue;
      const x = viewport.middleX(start, end);
      if (places.some((other) => Math.abs(other - x) < PEAK_PIXELS)) continue;
      places.push(x);
      found.push(at);
    }
    return found;
  }

  /**
   * Return the peak after an index, or before it; from the last one on, the first.
   *
   * @param {import('./viewport.js').Viewport} viewport
   * @param {number} from -1 to begin at the first or the last one.
   * @param {number} by 1 for the next one, -1 for the previous.
   * @returns {number | null} null where there is none.
   */
  nextPeak(viewport, from, by) {
    const peaks = this.peaks(viewport).sort((a, b) => a - b);
    const next = by > 0 ? peaks.find((at) => at > from) : peaks.findLast((at) => at < from);
    return next ?? peaks.at(by > 0 ? 0 : -1) ?? null;
  }

  /**
   * Return the segments whose pictures stand for equal parts of what is shown: the best one of each part, or without a
   * search the one in its middle.
   *
   * @param {import('./viewport.js').Viewport} viewport
   * @param {number} count Number of parts.
   * @returns {number[]}
   */
  pictures(viewport, count) {
    if (!this.rows.length) return [];
    /** @param {number} part */
    const indexAt = (part) => this.indexAt(viewport.from + (viewport.span * part) / count);
    // The edges lie a little inside the part: segments that only touch it belong to its neighbours.
    return Array.from({ length: count }, (_, part) =>
      this.best(indexAt(part + 0.02), indexAt(part + 0.98), indexAt(part + 0.5)),
    );
  }
}
