// Deck for marking frames. While it is paused, it is at the frame that was sought last, however quickly keys follow each
// other and however late the pictures of earlier seeks arrive.

import { Deck } from './deck.js';

/** A deck that is exactly at the frame that was sought. */
export class FrameDeck extends Deck {
  /** @type {number | null} */
  asked = null; // time of the frame that was sought last; null while playing
  seeks = 0; // counts seeks and starts
  away = false; // whether the element is elsewhere for a moment, to look up a still

  clear() {
    super.clear();
    this.asked = null;
    this.seeks += 1;
    this.away = false;
  }

  /** @param {number} index */
  show(index) {
    const { times } = this;
    this.asked = times.timeOf(times.clamp(index, this));
    this.seeks += 1;
    super.show(index);
  }

  /** @param {number} [speed] */
  async play(speed) {
    if (this.away && this.asked !== null) this.show(this.times.indexOfStart(this.asked));
    this.asked = null;
    this.seeks += 1;
    await super.play(speed);
  }

  /** @param {number} from Seconds. */
  restart(from) {
    super.restart(from);
    this.asked = null;
  }

  /** Pause on a frame, not between two, so that the picture is that of the number shown. */
  pause() {
    const playing = !this.video.paused;
    super.pause();
    if (playing && this.status === 'ready') this.show(this.index);
  }

  /** @param {string} name */
  emit(name) {
    if (name === 'frame' && this.info && this.asked !== null && this.video.paused) this.shown = this.asked;
    super.emit(name);
  }
}
