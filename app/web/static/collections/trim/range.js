// Range of a subclip over the frames of its video. In and out always lie on frames; when they come near the edge of the
// stretch whose frames are known, more of the video is loaded.

import { api } from '../../core/api.js';

const NEAR_SECONDS = 0.75;
const MORE_SECONDS = 30;
const MOST_STRETCH = 1800; // seconds of frames held at once; a longer range is trimmed at its ends, one at a time

/** @typedef {import('../../core/types.js').PtsRange} PtsRange */

/** Events: 'change' (in or out moved, or more frames are known), 'commit' (a movement has ended and should be saved). */
export class TrimRange extends EventTarget {
  /** @param {import('../../player/frame_deck.js').FrameDeck} deck */
  constructor(deck) {
    super();
    this.deck = deck;
    this.past = [];
  }

  /**
   * Begin with the range of a subclip.
   *
   * @param {import('../../core/types.js').SegmentInfo} info
   * @param {PtsRange} range
   */
  take(info, range) {
    this.info = info;
    this.past = [];
    this.set(range);
  }

  set({ start_pts, end_pts }) {
    this.start_pts = start_pts;
    this.end_pts = end_pts;
    this.emit('change');
  }

  get value() {
    return { start_pts: this.start_pts, end_pts: this.end_pts };
  }

  seconds(pts) {
    return ((pts - this.info.video_start_pts) * this.info.time_base[0]) / this.info.time_base[1];
  }

  get from() {
    return this.seconds(this.start_pts);
  }

  get to() {
    return this.seconds(this.end_pts);
  }

  /** Index of the first frame of the range, as the deck counts. */
  get first() {
    const { deck, from } = this;
    const shown = deck.indexAt(from);
    // A part of a long shot may begin between two frames: the first one is that which begins within the range.
    return deck.timeOf(shown) < from - 1e-4 ? Math.min(shown + 1, this.last) : shown;
  }

  /** Index of the last frame of the range, as the deck counts. */
  get last() {
    return this.deck.indexAt(this.to - 1e-3);
  }

  /** True once the frames are known, so that the range can be trimmed. */
  get able() {
    return Boolean(this.deck.frames?.pts.length);
  }

  startOf(index) {
    return this.deck.ptsOf(index);
  }

  endOf(index) {
    return Math.min(this.deck.endPtsOf(index), this.info.video_end_pts);
  }

  /** Set in to this frame. Beyond the out point, the range slides along with its length. */
  setIn(index) {
    if (!this.able) return;
    const start = this.startOf(index);
    if (start < this.end_pts) this.set({ start_pts: start, end_pts: this.end_pts });
    else this.set({ start_pts: start, end_pts: this.snap(start + this.end_pts - this.start_pts, index) });
  }

  /** Set out after this frame, which becomes the last one of the range. */
  setOut(index) {
    if (!this.able) return;
    const end = this.endOf(index);
    if (end > this.start_pts) this.set({ start_pts: this.start_pts, end_pts: end });
    else {
      const start = this.deck.indexAt(Math.max(0, this.seconds(end - (this.end_pts - this.start_pts))));
      this.set({ start_pts: Math.min(this.startOf(start), this.startOf(index)), end_pts: end });
    }
  }

  /** Return the end of the frame in which this time lies, after the frame `least`. */
  snap(pts, least) {
    return this.endOf(Math.max(least, this.deck.indexAt(this.seconds(pts) - 1e-3)));
  }

  nudge(which, frames) {
    if (!this.able) return;
    if (which === 'in') this.setIn(Math.min(this.last, Math.max(0, this.first + frames)));
    else this.setOut(Math.max(this.first, this.last + frames));
  }

  /** Move the whole range by a number of frames; its own number stays. */
  slip(first, last, frames) {
    if (!this.able) return;
    const most = this.deck.frames.pts.length - 1;
    const by = Math.max(-first, Math.min(frames, most - last));
    this.set({ start_pts: this.startOf(first + by), end_pts: this.endOf(last + by) });
  }

  reset() {
    this.remember();
    this.set({ start_pts: this.info.start_pts, end_pts: this.info.end_pts });
    this.emit('commit');
  }

  /** Note the range before a change, for `undo`. */
  remember() {
    const last = this.past.at(-1);
    if (last?.start_pts !== this.start_pts || last?.end_pts !== this.end_pts) this.past.push(this.value);
    if (this.past.length > 200) this.past.shift();
  }

  undo() {
    let before = this.past.pop();
    if (before && before.start_pts === this.start_pts && before.end_pts === this.end_pts) before = this.past.pop();
    if (!before) return false;
    this.set(before);
    this.emit('commit');
    return true;
  }

  // More of the video

  get proxied() {
    return this.deck.video.currentSrc.includes('/api/proxy/');
  }

  canWiden(side) {
    if (!this.able || !this.info) return false;
    return side === 'earlier' ? this.deck.first > 1e-3 : this.deck.last < this.info.duration - 1e-3;
  }

  /**
   * Load the frames of more of the video.
   *
   * @param {'earlier' | 'later'} side
   * @param {number} [by] Seconds.
   * @returns {Promise<boolean>} Whether there was more.
   */
  async widen(side, by = MORE_SECONDS) {
    if (!this.canWiden(side) || this.widening) return false;
    this.widening = true;
    const { deck, info } = this;
    try {
      if (this.proxied) return await this.moveWindow(side);
      const from = side === 'earlier' ? Math.max(0, deck.first - by) : deck.last - 1e-3;
      const to = side === 'earlier' ? deck.first + 1e-3 : Math.min(info.duration, deck.last + by);
      const shown = deck.shown;
      const more = await api(`/api/frames/${info.id}?from=${Math.max(0, from)}&to=${to}`);
      if (this.info !== info || deck.info?.video !== info.video) return false;
      deck.frames = merged(deck.frames, more);
      if (side === 'earlier') deck.first = Math.max(0, from);
      else deck.last = to;
      deck.shown = shown;
      if (deck.last - deck.first > MOST_STRETCH) this.narrow(side);
      this.emit('change');
      return true;
    } finally {
      this.widening = false;
    }
  }

  /** Go on with the proxy of the shot beside this one: a proxy holds one stretch only. */
  async moveWindow(side) {
    const { deck, info } = this;
    const edge = side === 'earlier' ? deck.first : deck.last;
    const { items } = await api(`/api/neighbours/${deck.info.id}?before=40&after=40`);
    const next =
      side === 'earlier'
        ? items.filter((each) => each.start < edge - NEAR_SECONDS).at(-1)
        : items.find((each) => each.end > edge + NEAR_SECONDS);
    if (!next || this.info !== info) return false;
    await deck.load(next.id);
    if (this.info !== info || deck.status !== 'ready') return false;
    deck.seekTo(edge);
    this.emit('change');
    return true;
  }

  narrow(side) {
    const { deck } = this;
    if (side === 'earlier') deck.last = deck.first + MOST_STRETCH;
    else deck.first = deck.last - MOST_STRETCH;
    const keep = deck.frames.seconds.map((at) => at >= deck.first - 1e-3 && at <= deck.last);
    deck.frames = {
      pts: deck.frames.pts.filter((_, at) => keep[at]),
      seconds: deck.frames.seconds.filter((_, at) => keep[at]),
    };
  }

  /** Load frames until those at this time are known, with some room around it. */
  async reach(seconds) {
    for (let round = 0; round < 200; round += 1) {
      const side =
        seconds < this.deck.first + NEAR_SECONDS ? 'earlier' : seconds > this.deck.last - NEAR_SECONDS ? 'later' : null;
      if (!side || !this.canWiden(side)) return;
      const far = side === 'earlier' ? this.deck.first - seconds : seconds - this.deck.last;
      if (!(await this.widen(side, Math.min(115, Math.max(MORE_SECONDS, far + 5))))) return;
    }
  }

  emit(name) {
    this.dispatchEvent(new Event(name));
  }
}

function merged(a, b) {
  const times = new Map();
  for (const table of [a, b]) table.pts.forEach((pts, at) => times.set(pts, table.seconds[at]));
  const pts = [...times.keys()].sort((one, other) => one - other);
  return { pts, seconds: pts.map((each) => times.get(each)) };
}
