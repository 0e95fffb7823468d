// The first and the last frame of the range as stills. They are taken from the one video element there is: each more
// would hold a connection of its own, and browsers have six for all tabs together.

import { element } from '../../core/dom.js';

const SETTLE_MILLISECONDS = 140;
const SEEK_MILLISECONDS = 3000;
const STILL_WIDTH = 400;

export class TrimStills {
  /** actions: {go(which)}; inputs: {in, out}, the fields of their time codes. */
  constructor(deck, range, stage, inputs, actions) {
    this.deck = deck;
    this.range = range;
    this.figures = {};
    this.element = element('div', { class: 'ps-trim-stills' });
    for (const [which, label] of [['in', 'In'], ['out', 'Out']]) {
      const canvas = element('canvas', { width: STILL_WIDTH, height: 225, 'aria-hidden': 'true' });
      const frame = element('span', { class: 'ps-muted' });
      const key = `Shift+${which === 'in' ? 'I' : 'O'}`;
      this.figures[which] = { canvas, frame, taken: null };
      this.element.append(element('figure', { class: 'ps-trim-still' },
        element('button', { class: 'ps-trim-picture', type: 'button', title: `Go to ${which} (${key})`, 'aria-label': `Go to ${which}`, onclick: () => actions.go(which) }, canvas),
        element('figcaption', {}, element('strong', { text: label }), inputs[which], frame)));
    }
    // What is seen while the element looks up a still: the frame that it is at.
    this.freeze = element('canvas', { class: 'ps-video ps-trim-freeze', hidden: true, 'aria-hidden': 'true' });
    stage.append(this.freeze);
    this.presentedAt = null; // the element's time of the picture that can be seen, as the browser told
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

  /** In or out has moved. */
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

  /** A browser says that a seek is over before its picture is there; only what it has presented can be kept. */
  watch() {
    const { video } = this.deck;
    const told = (_, about) => {
      this.presentedAt = video.readyState < 1 ? null : about.mediaTime;
      this.see();
      video.requestVideoFrameCallback(told);
    };
    if (video.requestVideoFrameCallback) video.requestVideoFrameCallback(told);
    video.addEventListener('seeked', () => {
      if (!video.requestVideoFrameCallback) this.presentedAt = video.currentTime;
      this.see();
    });
  }

  see() {
    this.take();
    this.arrived?.();
  }

  /** The index of the frame that can be seen and drawn; null where none can. */
  get presented() {
    const { video, info, offset } = this.deck;
    return info && this.presentedAt !== null && video.readyState >= 2 ? this.deck.indexAt(this.presentedAt + offset + 1e-4) : null;
  }

  /** Keep the picture that is shown, where it is one of the two. */
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

  /** Seek to what is missing and back. Whatever a person does meanwhile goes first. */
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

  /** No picture is better than a wrong one; not tried again until the point moves. */
  giveUp(which, index) {
    const { canvas } = this.figures[which];
    canvas.getContext('2d').clearRect(0, 0, canvas.width, canvas.height);
    this.figures[which].taken = this.deck.timeOf(index);
  }

  /** Until this frame can be seen, or a person does something else. */
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
