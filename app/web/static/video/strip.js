// Strip of a video: every segment drawn to scale on one canvas, its height and colour by its score.

import { drawingContext } from '../core/dom.js';
import { rampColour } from '../core/ramp.js';
import { clock, timeText } from '../core/timecode.js';
import { ScoredSegments } from './scored_segments.js';
import { tickStep, ticks } from './ticks.js';
import { Viewport } from './viewport.js';

const LABELS = 26; // pixels above the bars
const AXIS = 22; // pixels below the bars
const LOWEST = 10; // pixels of the lowest bar

/**
 * The theme, as a canvas needs it: CSS colours by use.
 *
 * @typedef {object} Colours
 * @property {boolean} dark Whether the page is dark.
 * @property {string} text
 * @property {string} muted
 * @property {string} soft
 * @property {string} line
 * @property {string} even Of the shots with an even number, where there are no scores.
 * @property {string} odd
 * @property {string} primary
 * @property {string} font CSS font family.
 */

/** Drawing, without events. */
export class Strip {
  segments = new ScoredSegments([]);
  viewport = new Viewport(1);
  width = 0;
  height = 0;

  /** @param {HTMLCanvasElement} canvas */
  constructor(canvas) {
    this.canvas = canvas;
    this.context = drawingContext(canvas);
  }

  /**
   * Show the whole of another video.
   *
   * @param {ScoredSegments} segments
   * @param {number} duration Seconds of the video.
   */
  setData(segments, duration) {
    this.segments = segments;
    this.viewport = new Viewport(Math.max(duration, segments.end, 0.01), this.width);
  }

  /**
   * @param {number} width
   * @param {number} height
   */
  resize(width, height) {
    const ratio = Math.min(devicePixelRatio || 1, 2);
    this.width = width;
    this.height = height;
    this.viewport.width = width;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    this.context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  /**
   * @param {Colours} colours
   * @param {object} [marked] Indices of the segments that have a frame.
   * @param {number | null} [marked.hovered]
   * @param {number | null} [marked.current]
   */
  draw(colours, { hovered = null, current = null } = {}) {
    const { context, width, height, segments, viewport } = this;
    context.clearRect(0, 0, width, height);
    const bottom = height - AXIS;
    const full = bottom - LABELS;
    context.fillStyle = colours.soft;
    context.beginPath();
    context.roundRect(0, LABELS, width, full, 6);
    context.fill();
    context.save();
    context.clip();
    for (const at of segments.order) {
      const [, shot, start, end] = segments.rows[at];
      if (!viewport.shows(start, end)) continue;
      const left = viewport.x(start);
      const right = viewport.x(end);
      const gap = right - left > 5 ? 1 : 0;
      const share = segments.share(at);
      const bar = share === null ? full * 0.62 : barHeight(share, full);
      context.fillStyle = share === null ? (shot % 2 ? colours.odd : colours.even) : rampColour(share, colours.dark);
      context.fillRect(left, bottom - bar, Math.max(1, right - left - gap), bar);
    }
    this.frame(current, colours.primary, full);
    this.frame(hovered, colours.text, full);
    context.restore();
    this.drawAxis(colours, bottom);
    this.drawPeaks(colours, bottom, full);
  }

  /**
   * Draw the frame around a segment.
   *
   * @param {number | null} at
   * @param {string} colour
   * @param {number} full Pixels of the highest bar.
   */
  frame(at, colour, full) {
    if (at === null || !this.segments.rows[at]) return;
    const { context, viewport } = this;
    const [, , start, end] = this.segments.rows[at];
    const left = viewport.x(start);
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.strokeRect(left - 1, LABELS + 1, Math.max(3, viewport.x(end) - left + 1), full - 2);
  }

  /**
   * @param {Colours} colours
   * @param {number} bottom Pixels from the upper edge to the axis.
   */
  drawAxis(colours, bottom) {
    const { context, width, viewport } = this;
    const step = tickStep(viewport.span, width);
    context.font = `11px ${colours.font}`;
    context.fillStyle = colours.muted;
    context.strokeStyle = colours.line;
    context.lineWidth = 1;
    context.textBaseline = 'alphabetic';
    for (const time of ticks(viewport.from, viewport.to, step)) {
      const x = Math.round(viewport.x(time)) + 0.5;
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

  /**
   * @param {Colours} colours
   * @param {number} bottom Pixels from the upper edge to the axis.
   * @param {number} full Pixels of the highest bar.
   */
  drawPeaks(colours, bottom, full) {
    const { context, width, segments, viewport } = this;
    if (!segments.scores) return;
    context.textBaseline = 'middle';
    context.textAlign = 'left';
    for (const at of segments.peaks(viewport)) {
      const [, , start, end] = segments.rows[at];
      const x = viewport.middleX(start, end);
      const top = bottom - barHeight(segments.share(at) ?? 0, full);
      const score = segments.scores[at].toFixed(2);
      const time = clock(start);
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
      context.fillStyle = colours.muted;
      context.fillText(time, left + wide + 5, 10);
      context.font = `600 11px ${colours.font}`;
      context.fillStyle = colours.text;
      context.fillText(score, left, 10);
    }
  }
}

/**
 * @param {number} share Place on the colour ramp, 0 to 1.
 * @param {number} full Pixels of the highest bar.
 */
function barHeight(share, full) {
  return LOWEST + share * (full - LOWEST);
}
