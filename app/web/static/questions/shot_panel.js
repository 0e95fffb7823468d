// Panel of the Questions page that plays one shot, over and over, from its first frame to its last.

import { element, setText } from '../core/dom.js';
import { attempt } from '../core/toast.js';
import { Deck } from '../player/deck.js';
import { openPlayer } from '../player/player.js';
import { drawnText, spanText } from './texts.js';

/** @typedef {import('../core/types.js').DrawnShot} DrawnShot */

const AROUND_SECONDS = 2;

/**
 * Create a button that shows its key.
 *
 * @param {string} label
 * @param {string} key
 * @param {() => unknown} run
 */
export function keyButton(label, key, run) {
  return element(
    'button',
    { class: 'ps-button', type: 'button', title: `${label} (${key})`, onclick: run },
    element('span', { text: label }),
    element('kbd', { text: key }),
  );
}

/** A video element with what is told of the shot. */
export class ShotPanel {
  /** @type {number | null} */
  segment = null;

  /** @param {() => unknown} skip */
  constructor(skip) {
    this.video = element('video', { class: 'ps-video', 'aria-label': 'Shot' });
    this.video.muted = true; // it begins by itself
    this.status = element('div', { class: 'ps-player-status', role: 'status', hidden: true });
    this.title = element('div', { class: 'ps-question-file' });
    this.place = element('div', { class: 'ps-muted ps-question-place' });
    this.deck = new Deck(this.video);
    this.playButton = keyButton('Pause', 'Space', () => this.deck.toggle());
    this.soundButton = keyButton('Sound', 'A', () => this.toggleSound());
    this.soundButton.setAttribute('aria-pressed', 'false');
    this.root = element(
      'div',
      {},
      element('div', { class: 'ps-stage' }, this.video, this.status),
      element('div', { class: 'ps-question-about' }, this.title, this.place),
      element(
        'div',
        { class: 'ps-controls' },
        this.playButton,
        this.soundButton,
        keyButton('Player', 'P', () => this.openPlayer()),
        keyButton('Skip', 'N', skip),
      ),
    );
    this.video.addEventListener('click', () => this.deck.toggle());
    this.deck.addEventListener('state', () => this.draw());
  }

  /**
   * Show a shot, and play it.
   *
   * @param {DrawnShot} drawn
   */
  async show(drawn) {
    const { shot } = drawn;
    this.segment = shot?.segment ?? null;
    setText(this.title, shot ? '' : 'There is no shot to show');
    setText(this.place, shot ? `${drawnText(drawn)} · ${spanText(shot.start, shot.end)}` : '');
    if (!shot) {
      this.deck.unload();
      return;
    }
    this.video.poster = `/api/poster/${shot.segment}`;
    const [from, to] = [shot.start - AROUND_SECONDS, shot.end + AROUND_SECONDS];
    const info = await attempt(() => this.deck.load(shot.segment, { from, to }));
    if (!info || this.deck.info !== info) return;
    setText(this.title, info.name);
    this.title.title = info.path;
    const { deck } = this;
    deck.stop = { from: shot.start, to: shot.end };
    deck.loop = true;
    if (deck.status !== 'ready') return;
    deck.show(deck.times.indexFrom(shot.start));
    void deck.play();
  }

  /** @param {number} frames */
  step(frames) {
    if (this.deck.status === 'ready') this.deck.step(frames);
  }

  toggleSound() {
    this.video.muted = !this.video.muted;
    this.soundButton.setAttribute('aria-pressed', String(!this.video.muted));
  }

  openPlayer() {
    if (this.segment === null) return;
    this.deck.pause();
    openPlayer([{ id: this.segment }]);
  }

  draw() {
    const { status, message, paused } = this.deck;
    const text = message || (status === 'loading' ? 'Loading …' : '');
    this.status.hidden = !text;
    this.status.classList.toggle('ps-error', status === 'failed');
    setText(this.status, text);
    const label = this.playButton.firstElementChild;
    if (label) setText(label, paused ? 'Play' : 'Pause');
    this.root.dataset.state = status === 'ready' ? (paused ? 'paused' : 'playing') : status;
  }

  remove() {
    this.deck.unload();
  }
}
