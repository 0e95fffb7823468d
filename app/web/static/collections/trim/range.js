// Range of a subclip over the frames of its video. When in or out come near the edge of the stretch whose frames are known,
// more of the video is loaded.

import { api } from '../../core/api.js';
import { beside, contains, grown, hasMore, mergedFrames, segmentBeside, towards } from './frame_window.js';
import { secondsOf, Trimming } from './trimming.js';
import { RangeHistory } from './undo.js';

/** @typedef {import('../../core/types.js').PtsRange} PtsRange */
/** @typedef {import('../../core/types.js').SegmentInfo} SegmentInfo */
/** @typedef {import('./frame_window.js').Side} Side */
/** @typedef {import('./trimming.js').Point} Point */

/** Events: 'change' (in or out moved, or more frames are known), 'commit' (a movement has ended and should be saved). */
export class TrimRange extends EventTarget {
  /** @type {SegmentInfo | null} */
  info = null; // null until the video of a subclip is known
  start_pts = 0;
  end_pts = 0;
  history = new RangeHistory();
  /** @type {Promise<boolean> | null} */
  widening = null;

  /** @param {import('../../player/frame_deck.js').FrameDeck} deck */
  constructor(deck) {
    super();
    this.deck = deck;
  }

  /**
   * Begin with the range of a subclip.
   *
   * @param {SegmentInfo} info
   * @param {PtsRange} range
   */
  take(info, range) {
    this.info = info;
    this.history = new RangeHistory();
    this.set(range);
  }

  /** @param {PtsRange} range */
  set({ start_pts, end_pts }) {
    this.start_pts = start_pts;
    this.end_pts = end_pts;
    this.emit('change');
  }

  /** @returns {PtsRange} */
  get value() {
    return { start_pts: this.start_pts, end_pts: this.end_pts };
  }

  /** The video of the subclip, which is known once `info` is. */
  get source() {
    if (!this.info) throw new Error('No subclip is open');
    return this.info;
  }

  /** Where in lies, in seconds from the video's first frame shown. */
  get from() {
    return secondsOf(this.start_pts, this.source);
  }

  /** Where out lies, in seconds from the video's first frame shown. */
  get to() {
    return secondsOf(this.end_pts, this.source);
  }

  get trimming() {
    const { deck, source } = this;
    return new Trimming(deck.times, source, this.value, !hasMore('later', deck, source.duration));
  }

  /** Index of the first frame of the range, as the deck counts. */
  get first() {
    return this.trimming.first;
  }

  /** Index of the last frame of the range, as the deck counts. */
  get last() {
    return this.trimming.last;
  }

  /** Whether the frames are known, so that the range can be trimmed. */
  get able() {
    return this.info !== null && Boolean(this.deck.frames?.pts.length);
  }

  /**
   * Return where a point lies.
   *
   * @param {Point} point
   * @returns {number} Seconds from the video's first frame shown.
   */
  secondsOf(point) {
    return point === 'in' ? this.from : this.to;
  }

  /**
   * Return the index of the frame at a point: the first one of the range, or the last one.
   *
   * @param {Point} point
   * @returns {number}
   */
  frameOf(point) {
    return point === 'in' ? this.first : this.last;
  }

  /**
   * Return whether a point lies in the stretch whose frames are known. Those of a long range lie too far apart.
   *
   * @param {Point} point
   * @returns {boolean}
   */
  reaches(point) {
    return contains(this.secondsOf(point), this.deck);
  }

  /**
   * Move a point to a frame. Beyond the other one, the range slides along with its length.
   *
   * @param {Point} point
   * @param {number} index For out, that of the last frame.
   */
  move(point, index) {
    if (!this.able) return;
    this.set(point === 'in' ? this.trimming.withIn(index) : this.trimming.withOut(index));
  }

  /**
   * Move a point by a number of frames, but not past the other one.
   *
   * @param {Point} point
   * @param {number} frames
   */
  nudge(point, frames) {
    if (this.able && this.reaches(point)) this.set(this.trimming.nudged(point, frames));
  }

  /**
   * Move the whole range by a number of frames; its own number stays.
   *
   * @param {{first: number, last: number}} from Its frames before.
   * @param {number} frames
   */
  slip(from, frames) {
    if (this.able) this.set(this.trimming.slipped(from, frames));
  }

  reset() {
    this.remember();
    this.set(this.source);
    this.emit('commit');
  }

  /** Note the range before a change, for `undo`. */
  remember() {
    this.history.remember(this.value);
  }

  /** Take the last change back. Returns false where there was none. */
  undo() {
    const before = this.history.undo(this.value);
    if (!before) return false;
    this.set(before);
    this.emit('commit');
    return true;
  }

  // More of the video

  get proxied() {
    return this.deck.video.currentSrc.includes('/api/proxy/');
  }

  /** @param {Side} side */
  canWiden(side) {
    return this.able && hasMore(side, this.deck, this.source.duration);
  }

  /**
   * Load the frames of more of the video. While some are being loaded already, wait for those.
   *
   * @param {Side} side
   * @param {number} [by] Seconds.
   * @returns {Promise<boolean>} Whether there was more.
   */
  async widen(side, by) {
    if (!this.canWiden(side)) return false;
    this.widening ??= (this.proxied ? this.moveWindow(side) : this.load(side, by)).finally(() => {
      this.widening = null;
    });
    return await this.widening;
  }

  /**
   * @param {Side} side
   * @param {number} [by]
   * @returns {Promise<boolean>}
   */
  async load(side, by) {
    const { deck, source } = this;
    const { from, to } = beside(side, deck, source.duration, by);
    /** @type {import('../../core/types.js').FrameList} */
    const more = await api(`/api/frames/${source.id}?from=${from}&to=${to}`);
    if (this.info !== source || deck.info?.video !== source.video || !deck.frames) return false;
    const stretch = grown(deck, side, side === 'earlier' ? from : to);
    deck.extend(mergedFrames(deck.frames, more, stretch), stretch);
    this.emit('change');
    return true;
  }

  /**
   * Go on with the proxy of the shot beside this one: a proxy holds one stretch only.
   *
   * @param {Side} side
   * @returns {Promise<boolean>} Whether there was one.
   */
  async moveWindow(side) {
    const { deck, source } = this;
    const edge = side === 'earlier' ? deck.first : deck.last;
    /** @type {{items: import('../../core/types.js').Neighbour[]}} */
    const { items } = await api(`/api/neighbours/${deck.info?.id ?? source.id}?before=40&after=40`);
    const next = segmentBeside(items, side, deck);
    if (!next || this.info !== source) return false;
    await deck.load(next.id);
    if (this.info !== source || deck.status !== 'ready') return false;
    deck.seekTo(edge);
    this.emit('change');
    return true;
  }

  /**
   * Load frames until those at a time are known, with some room around it.
   *
   * @param {number} seconds
   */
  async reach(seconds) {
    for (let round = 0; round < 200; round += 1) {
      const next = towards(seconds, this.deck);
      if (!next || !this.canWiden(next.side) || !(await this.widen(next.side, next.by))) return;
    }
  }

  /** @param {'change' | 'commit'} name */
  emit(name) {
    this.dispatchEvent(new Event(name));
  }
}
