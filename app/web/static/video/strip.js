// Strip of a video: every segment drawn to scale on one canvas, its height and colour by its score.

import { rampColour } from '../core/ramp.js';
import { timeText } from '../core/timecode.js';

const LABELS = 26; // pixels above the bars
const AXIS = 22; // pixels below the bars
const LOWEST = 10; // pixels of the lowest bar
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];
const MOST_PEAKS = 12;

/** Geometry and drawing, without events. Times are seconds; indices are those of `segments`. */
export class Strip {
  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = canvas.getContext('2d');
    this.segments = [];
    this.width = 0;
    this.height = 0;
  }

  /** @param {import('./view.js').VideoData} data */
  setData({ segments, scores, duration, low, high }) {
    this.segments = segments;
    this.scores = scores;
    this.duration = Math.max(duration, segments.at(-1)?.[3] ?? 0, 0.01);
    this.low = low;
    this.high = high;
    // Low scores first, so that where many share a pixel the best is on top.
    this.order = Uint32Array.from(segments.keys());
    if (scores) this.order.sort((a, b) => scores[a] - scores[b]);
    this.shotStarts = segments.map(([, shot], at) => at === 0 || segments[at - 1][1] !== shot);
    this.from = 0;
    this.to = this.duration;
  }

  resize(width, height) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = width;
    this.height = height;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  get span() {
    return this.to - this.from;
  }

  get zoomed() {
    return this.span < this.duration * 0.999;
  }

  x(seconds) {
    return ((seconds - this.from) / this.span) * this.width;
  }

  secondsAt(x) {
    return this.from + (x / Math.max(1, this.width)) * this.span;
  }

  /** Return the index of the segment at a time; of the nearest one where there is none. */
  indexAt(seconds) {
    let low = 0;
    let high = this.segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.segments[middle][2] <= seconds) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** Return the index of the best segment within the pixels around x, so that a peak of one pixel can be hit. */
  indexNear(x) {
    const at = this.indexAt(this.secondsAt(x));
    if (!this.scores) return at;
    let best = at;
    const [first, last] = [this.indexAt(this.secondsAt(x - 2)), this.indexAt(this.secondsAt(x + 2))];
    if (last - first < 2) return at;
    for (let each = first; each <= last; each += 1) if (this.scores[each] > this.scores[best]) best = each;
    return best;
  }

  /** Return a segment's place on the colour ramp, 0 to 1. */
  share(at) {
    return Math.min(1, Math.max(0, (this.scores[at] - this.low) / (this.high - this.low)));
  }

  show(from, to) {
    const span = Math.min(this.duration, Math.max(to - from, Math.min(this.duration, 1)));
    const start = Math.min(Math.max(0, from), this.duration - span);
    [this.from, this.to] = [start, start + span];
  }

  zoom(factor, x = this.width / 2) {
    const around = this.secondsAt(x);
    const span = this.span / factor;
    const share = x / Math.max(1, this.width);
    this.show(around - share * span, around + (1 - share) * span);
  }

  pan(pixels) {
    const by = (pixels / Math.max(1, this.width)) * this.span;
    this.show(this.from + by, this.to + by);
  }

  /** Move the visible stretch to a segment that lies outside it. */
  reveal(at) {
    const [, , start, end] = this.segments[at];
    if (start >= this.from && end <= this.to) return;
    const middle = (start + end) / 2;
    const span = Math.max(this.span, Math.min(this.duration, (end - start) * 1.5));
    this.show(middle - span / 2, middle + span / 2);
  }

  /** Return the indices of the best visible segments, far enough apart to be labelled, best first. */
  peaks() {
    if (!this.scores) return [];
    const found = [];
    const places = [];
    for (let place = this.order.length - 1; place >= 0 && found.length < MOST_PEAKS; place -= 1) {
      const at = this.order[place];
      if (this.share(at) < 0.45) break;
      const [, , start, end] = this.segments[at];
      if (end < this.from || start > this.to) continue;
      const x = this.x((Math.max(start, this.from) + Math.min(end, this.to)) / 2);
      if (places.some((other) => Math.abs(other - x) < 96)) continue;
      places.push(x);
      found.push(at);
    }
    return found;
  }

  /**
   * @param {Record<string, any>} colours CSS colours of the theme by use, and `dark`.
   * @param {object} [marked] Indices of the segments that have a frame.
   * @param {number | null} [marked.hovered]
   * @param {number | null} [marked.current]
   */
  draw(colours, { hovered = null, current = null } = {}) {
    const { context, width, height } = this;
    context.clearRect(0, 0, width, height);
    const bottom = height - AXIS;
    const full = bottom - LABELS;
    context.fillStyle = colours.soft;
    context.beginPath();
    context.roundRect(0, LABELS, width, full, 6);
    context.fill();
    context.save();
    context.clip();
    for (const at of this.order) {
      const [, shot, start, end] = this.segments[at];
      if (end < this.from || start > this.to) continue;
      const left = this.x(start);
      const right = this.x(end);
      const gap = right - left > 5 ? 1 : 0;
      const bar = this.scores ? LOWEST + this.share(at) * (full - LOWEST) : full * 0.62;
      context.fillStyle = this.scores
        ? rampColour(this.share(at), colours.dark)
        : shot % 2
          ? colours.odd
          : colours.even;
      context.fillRect(left, bottom - bar, Math.max(1, right - left - gap), bar);
    }
    for (const [at, colour] of [
      [current, colours.primary],
      [hovered, colours.text],
    ]) {
      if (at === null || !this.segments[at]) continue;
      const [, , start, end] = this.segments[at];
      const left = this.x(start);
      context.strokeStyle = colour;
      context.lineWidth = 2;
      context.strokeRect(left - 1, LABELS + 1, Math.max(3, this.x(end) - left + 1), full - 2);
    }
    context.restore();
    this.drawAxis(colours, bottom);
    this.drawPeaks(colours, bottom, full);
  }

  drawAxis(colours, bottom) {
    const { context, width } = this;
    const step = STEPS.find((each) => (each / this.span) * width >= 76) ?? STEPS.at(-1);
    context.font = `11px ${colours.font}`;
    context.fillStyle = colours.muted;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.textBaseline = 'alphabetic';
    for (let time = Math.ceil(this.from / step - 1e-6) * step; time <= this.to + 1e-6; time += step) {
      const x = Math.round(this.x(time)) + 0.5;
      context.beginPath();
      context.moveTo(x, bottom);
      context.lineTo(x, bottom + 5);
      context.stroke();
      const text = timeText(time, step);
      const half = context.measureText(text).width / 2;
      context.textAlign = 'center';
      context.fillText(text, Math.min(Math.max(x, half + 1), width - half - 1), bottom + 17);
    }
  }

  drawPeaks(colours, bottom, full) {
    const { context, width } = this;
    context.textAlign = 'center';
    context.textBaseline = 'middle';
    for (const at of this.peaks()) {
      const [, , start, end] = this.segments[at];
      const x = this.x((Math.max(start, this.from) + Math.min(end, this.to)) / 2);
      const top = bottom - LOWEST - this.share(at) * (full - LOWEST);
      const score = this.scores[at].toFixed(2);
      const time = timeText(start);
      context.font = `600 11px ${colours.font}`;
      const wide = context.measureText(score).width;
      context.font = `11px ${colours.font}`;
      const all = wide + 5 + context.measureText(time).width;
      const left = Math.min(Math.max(x - all / 2, 1), width - all - 1);
      context.strokeStyle = colours.muted;
      context.beginPath();
      context.moveTo(Math.round(x) + 0.5, LABELS - 6);
      context.lineTo(Math.round(x) + 0.5, Math.max(top, LABELS));
      context.stroke();
      context.textAlign = 'left';
      context.fillStyle = colours.muted;
      context.fillText(time, left + wide + 5, 10);
      context.font = `600 11px ${colours.font}`;
      context.fillStyle = colours.text;
      context.fillText(score, left, 10);
    }
  }
}
