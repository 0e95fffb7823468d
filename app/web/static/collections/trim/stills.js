// Stills of the first and the last frame of the range. They are taken from the editor's only video element: each further
// one would hold a connection of its own, and browsers have six for all tabs together.

import { element } from '../../core/dom.js';

const SETTLE_MILLISECONDS = 140;
const SEEK_MILLISECONDS = 3000;
const STILL_WIDTH = 400;

/** @typedef {'in' | 'out'} Point */

/** Two figures with the time codes of in and out. */
export class TrimStills {
  /**
   * @param {import('../../player/frame_deck.js').FrameDeck} deck
   * @param {import('./range.js').TrimRange} range
   * @param {HTMLElement} stage Holds the video element.
   * @param {Record<Point, HTMLInputElement>} inputs Fields of the time codes.
   * @param {{go: (which: Point) => void}} actions
   */
  constructor(deck, range, stage, inputs, actions) {
    this.deck = deck;
    this.range = range;
    this.figures = {};
    this.element = element('div', { class: 'ps-trim-stills' });
    for (const [which, label] of [
      ['in', 'In'],
      ['out', 'Out'],
    ]) {
      const canvas = element('canvas', { width: STILL_WIDTH, height: 225, 'aria-hidden': 'true' });
      const frame = element('span', { class: 'ps-muted' });
      const key = `Shift+${which === 'in' ? 'I' : 'O'}`;
      this.figures[which] = { canvas, frame, taken: null };
      this.element.append(
        element(
          'figure',
          { class: 'ps-trim-still' },
          element(
            'button',
            {
              class: 'ps-trim-picture',
              type: 'button',
              title: `Go to ${which} (${key})`,
              'aria-label': `Go to ${which}`,
              onclick: () => actions.go(which),
            },
            canvas,
          ),
          element('figcaption', {}, element('strong', { text: label }), inputs[which], frame),
        ),
      );
    }
    // Covers the element while it looks up a still: a copy of the frame that it was at.
    this.freeze = element('canvas', { class: 'ps-video ps-trim-freeze', hidden: true, 'aria-hidden': 'true' });
    stage.append(this.freeze);
    /** @type {number | null} */
    this.presentedAt = null; // the element's time of the picture that is shown, as the browser reported it
    this.watch();
  }

  clear() {
    clearTimeout(this.timer);
    this.presentedAt = null;
    this.freeze.hidden = true;
    for (const each of Object.values(this.figures)) {
      each.taken = null;
      each.canvas.getContext('2d').clearRect(0, 0, each.canvas.width, each.canvas.height);
    }
  }

  /** Take the stills again, once in and out rest. */
  update() {
    this.take();
    clearTimeout(this.timer);
    if (this.stale.length) this.timer = setTimeout(() => this.lookUp(), SETTLE_MILLISECONDS);
  }

  frameOf(which) {
    return which === 'in' ? this.range.first : this.range.last;
  }

  get stale() {
    if (!this.range.info || this.deck.status !== 'ready') return [];
    return ['in', 'out'].filter((which) => this.figures[which].taken !== this.deck.timeOf(this.frameOf(which)));
  }

  /** Follow which picture is shown: browsers report a seek as finished before its picture is there. */
  watch() {
    const { video } = this.deck;
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
    const { video, info, offset } = this.deck;
    return info && this.presentedAt !== null && video.readyState >= 2
      ? this.deck.indexAt(this.presentedAt + offset + 1e-4)
      : null;
  }

  /** Draw the picture that is shown into its still, where it is one of the two. */
  take() {
    const { video } = this.deck;
    const { presented } = this;
    if (!this.range.info || this.deck.status !== 'ready' || !video.paused || presented === null) return;
    for (const which of this.stale) {
      if (this.frameOf(which) !== presented) continue;
      const still = this.figures[which];
      draw(still.canvas, video, STILL_WIDTH);
      still.taken = this.deck.timeOf(presented);
    }
  }

  /** Seek to the frames that are missing and back. Whatever a person does meanwhile comes first. */
  async lookUp() {
    const { deck } = this;
    if (!this.stale.length || !deck.paused || deck.video.seeking) {
      if (this.stale.length && deck.paused) this.timer = setTimeout(() => this.lookUp(), SETTLE_MILLISECONDS);
      return;
    }
    const home = deck.asked ?? deck.now;
    const { seeks } = deck;
    const here = () => deck.seeks === seeks && deck.paused && deck.status === 'ready';
    draw(this.freeze, deck.video, deck.video.videoWidth);
    this.freeze.hidden = false;
    deck.away = true;
    for (const which of this.stale) {
      const index = this.frameOf(which);
      deck.video.currentTime = Math.max(0, (deck.timeOf(index) + deck.endOf(index)) / 2 - deck.offset);
      await this.arrival(index, here);
      if (!here()) break;
      this.take();
      if (this.stale.includes(which)) this.giveUp(which, index);
    }
    if (here()) {
      const index = deck.indexAt(home + 1e-4);
      deck.show(index);
      await this.arrival(index, () => deck.seeks === seeks + 1);
    }
    deck.away = false;
    this.freeze.hidden = true;
  }

  /** Leave a still empty, until its point moves: no picture is better than a wrong one. */
  giveUp(which, index) {
    const { canvas } = this.figures[which];
    canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
    this.figures[which].taken = this.deck.timeOf(index);
  }

  /** Wait until this frame is shown, or a person does something else. */
  arrival(index, here) {
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(patience);
        this.arrived = null;
        resolve();
      };
      const patience = setTimeout(done, SEEK_MILLISECONDS);
      this.arrived = () => (this.presented === index || !here()) && done();
      this.arrived();
    });
  }
}

function draw(canvas, video, width) {
  if (!video.videoWidth) return;
  canvas.width = Math.min(width, video.videoWidth);
  canvas.height = Math.max(1, Math.round((canvas.width * video.videoHeight) / video.videoWidth));
  canvas.getContext('2d').drawImage(video, 0, 0, canvas.width, canvas.height);
}
