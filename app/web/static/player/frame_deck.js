// A deck for marking frames: while it is paused, the frame that was asked for is the frame it is at, however quickly keys
// follow each other and however late the pictures of earlier seeks arrive.

import { Deck } from './deck.js';

export class FrameDeck extends Deck {
  /** `seeks` counts what was asked for; `away` says that the element is elsewhere for a moment, to look up a still. */
  clear() {
    super.clear();
    this.asked = null;
    this.seeks = (this.seeks ?? 0) + 1;
    this.away = false;
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

  /** Stops on a frame, not between two: the picture is that of the number shown. */
  pause() {
    const playing = !this.video.paused;
    super.pause();
    if (playing && this.status === 'ready') this.show(this.index);
  }

  tell(name) {
    if (name === 'frame' && this.info && this.asked !== null && this.video.paused) this.shown = this.asked;
    super.tell(name);
  }
}
