// Deck for marking frames. While it is paused, it is at the frame that was sought last, however quickly keys follow each
// other and however late the pictures of earlier seeks arrive.

import { Deck } from './deck.js';

/** A deck that is exactly at the frame that was sought. */
export class FrameDeck extends Deck {
  clear() {
    super.clear();
    /** @type {number | null} */
    this.asked = null; // time of the frame that was sought last; null while playing
    this.seeks = (this.seeks ?? 0) + 1; // counts seeks and starts
    this.away = false; // whether the element is elsewhere for a moment, to look up a still
  }

  show(index) {
    const most = this.frames ? this.frames.seconds.length - 1 : Infinity;
    const within = Math.min(Math.max(index, 0), most);
    this.asked = this.timeOf(within);
    this.seeks += 1;
    super.show(within);
  }

  async play(speed) {
    if (this.away && this.asked !== null) this.show(this.indexAt(this.asked + 1e-4));
    this.asked = null;
    this.seeks += 1;
    await super.play(speed);
  }

  /** Pause on a frame, not between two, so that the picture is that of the number shown. */
  pause() {
    const playing = !this.video.paused;
    super.pause();
    if (playing && this.status === 'ready') this.show(this.index);
  }

  emit(name) {
    if (name === 'frame' && this.info && this.asked !== null && this.video.paused) this.shown = this.asked;
    super.emit(name);
  }
}
