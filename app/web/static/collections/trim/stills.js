// Stills of the first and the last frame of the range. They are taken from the editor's only video element: each further
// one would hold a connection of its own, and browsers have six for all tabs together.

import { drawingContext, element } from '../../core/dom.js';

const SETTLE_MILLISECONDS = 140;
const SEEK_MILLISECONDS = 3000;
const STILL_WIDTH = 400;

/** @typedef {import('./trimming.js').Point} Point */
/**
 * A still, and the number of its frame.
 *
 * @typedef {object} Still
 * @property {HTMLElement} figure
 * @property {HTMLCanvasElement} canvas
 * @property {HTMLElement} frame
 * @property {number | null} taken Pts of the point that it shows.
 */

/** @type {readonly Point[]} */
const POINTS = ['in', 'out'];

/** Two figures with the time codes of in and out. */
export class TrimStills {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer = undefined;
  /** @type {number | null} */
  presentedAt = null; // the element's time of the picture that is shown, as the browser reported it
  /** @type {(() => void) | null} */
  arrived = null; // called with each picture while one is awaited

  /**
   * @param {import('../../player/frame_deck.js').FrameDeck} deck
   * @param {import('./range.js').TrimRange} range
   * @param {HTMLElement} stage Holds the video element.
   * @param {Record<Point, HTMLInputElement>} inputs Fields of the time codes.
   * @param {{go: (point: Point) => void}} actions
   */
  constructor(deck, range, stage, inputs, actions) {
    this.deck = deck;
    this.range = range;
    /** @type {Record<Point, Still>} */
    this.figures = {
      in: still('in', 'In', 'Shift+I', inputs.in, () => actions.go('in')),
      out: still('out', 'Out', 'Shift+O', inputs.out, () => actions.go('out')),
    };
    this.element = element('div', { class: 'ps-trim-stills' }, this.figures.in.figure, this.figures.out.figure);
    // Covers the element while it looks up a still: a copy of the frame that it was at.
    this.freeze = element('canvas', { class: 'ps-video ps-trim-freeze', hidden: true, 'aria-hidden': 'true' });
    stage.append(this.freeze);
    this.watch();
  }

  clear() {
    clearTimeout(this.timer);
    this.presentedAt = null;
    this.freeze.hidden = true;
    for (const each of Object.values(this.figures)) {
      each.taken = null;
      blank(each.canvas);
    }
  }

  /** Take the stills again, once in and out rest. */
  update() {
    for (const point of POINTS) if (!this.range.reaches(point) && this.isOld(point)) blank(this.figures[point].canvas);
    this.take();
    clearTimeout(this.timer);
    if (this.stale.length) this.settle();
  }

  settle() {
    this.timer = setTimeout(() => void this.lookUp(), SETTLE_MILLISECONDS); // never fails
  }

  /**
   * Return the pts that the still of a point is taken at.
   *
   * @param {Point} point
   */
  ptsOf(point) {
    return point === 'in' ? this.range.start_pts : this.range.end_pts;
  }

  /** @param {Point} point */
  isOld(point) {
    return this.figures[point].taken !== this.ptsOf(point);
  }

  /** Points whose still is to be taken. Where the frames around a point are not known, it has none. */
  get stale() {
    if (!this.range.info || this.deck.status !== 'ready') return [];
    return POINTS.filter((point) => this.range.reaches(point) && this.isOld(point));
  }

  /** Follow which picture is shown: browsers report a seek as finished before its picture is there. */
  watch() {
    const { video } = this.deck;
    /** @type {VideoFrameRequestCallback} */
    const onFrame = (_, about) => {
      this.presentedAt = video.readyState < 1 ? null : about.mediaTime;
      this.see();
      video.requestVideoFrameCallback(onFrame);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(onFrame);
    video.addEventListener('seeked', () => {
      if (!video.requestVideoFrameCallback) this.presentedAt = video.currentTime;
      this.see();
    });
  }

  see() {
    this.take();
    this.arrived?.();
  }

  /** Index of the frame that is shown and can be drawn; null where none is. */
  get presented() {
    const { video, info, offset, times } = this.deck;
    return info && this.presentedAt !== null && video.readyState >= 2
      ? times.indexOfStart(this.presentedAt + offset)
      : null;
  }

  /** Draw the picture that is shown into its still, where it is one of the two. */
  take() {
    const { video } = this.deck;
    const { presented } = this;
    if (!video.paused || presented === null) return;
    for (const point of this.stale) {
      if (this.range.frameOf(point) !== presented) continue;
      draw(this.figures[point].canvas, video, STILL_WIDTH);
      this.figures[point].taken = this.ptsOf(point);
    }
  }

  /** Seek to the frames that are missing and back. Whatever a person does meanwhile comes first. */
  async lookUp() {
    const { deck } = this;
    if (!this.stale.length || !deck.paused) return;
    if (deck.video.seeking || deck.away) {
      this.settle();
      return;
    }
    const home = deck.asked ?? deck.now;
    const { seeks } = deck;
    const here = () => deck.seeks === seeks && deck.paused && deck.status === 'ready';
    draw(this.freeze, deck.video, deck.video.videoWidth);
    this.freeze.hidden = false;
    deck.away = true;
    for (const point of this.stale) {
      const index = this.range.frameOf(point);
      deck.video.currentTime = Math.max(0, deck.times.middleOf(index) - deck.offset);
      await this.arrival(index, here);
      if (!here()) break;
      this.take();
      if (this.stale.includes(point)) this.giveUp(point);
    }
    if (here()) {
      const index = deck.times.indexOfStart(home);
      deck.show(index);
      await this.arrival(index, () => deck.seeks === seeks + 1);
    }
    deck.away = false;
    this.freeze.hidden = true;
  }

  /**
   * Leave a still empty, until its point moves: no picture is better than a wrong one.
   *
   * @param {Point} point
   */
  giveUp(point) {
    blank(this.figures[point].canvas);
    this.figures[point].taken = this.ptsOf(point);
  }

  /**
   * Wait until a frame is shown, or a person does something else.
   *
   * @param {number} index
   * @param {() => boolean} here False once they have.
   * @returns {Promise<void>}
   */
  arrival(index, here) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(patience);
        this.arrived = null;
        resolve();
      };
      const patience = setTimeout(done, SEEK_MILLISECONDS);
      this.arrived = () => {
        if (this.presented === index || !here()) done();
      };
      this.arrived();
    });
  }
}

/**
 * @param {Point} point
 * @param {string} label
 * @param {string} key
 * @param {HTMLInputElement} input
 * @param {() => void} onclick
 * @returns {Still}
 */
function still(point, label, key, input, onclick) {
  const canvas = element('canvas', { width: STILL_WIDTH, height: 225, 'aria-hidden': 'true' });
  const frame = element('span', { class: 'ps-muted' });
  const button = element(
    'button',
    {
      class: 'ps-trim-picture',
      type: 'button',
      title: `Go to ${point} (${key})`,
      'aria-label': `Go to ${point}`,
      onclick,
    },
    canvas,
  );
  const caption = element('figcaption', {}, element('strong', { text: label }), input, frame);
  return { figure: element('figure', { class: 'ps-trim-still' }, button, caption), canvas, frame, taken: null };
}

/**
 * Draw the picture of a video.
 *
 * @param {HTMLCanvasElement} canvas Gets the shape of the video.
 * @param {HTMLVideoElement} video
 * @param {number} width Of the canvas, unless the video is narrower.
 */
function draw(canvas, video, width) {
  if (!video.videoWidth) return;
  canvas.width = Math.min(width, video.videoWidth);
  canvas.height = Math.max(1, Math.round((canvas.width * video.videoHeight) / video.videoWidth));
  drawingContext(canvas).drawImage(video, 0, 0, canvas.width, canvas.height);
}

/** @param {HTMLCanvasElement} canvas */
function blank(canvas) {
  drawingContext(canvas).clearRect(0, 0, canvas.width, canvas.height);
}
