// A deck for marking frames: while it is paused, the frame that was asked for is the frame it is at, however quickly keys
// follow each other and however late the pictures of earlier seeks arrive.

import { frameNumber } from './clip_times.js';
import { Deck } from './deck.js';

const FIRST_FRAME_MILLISECONDS = 3000;

export class FrameDeck extends Deck {
  constructor(video) {
    super(video);
    // A range may reach to the end of the video, where the element stops by itself.
    video.addEventListener('ended', () => {
      if (!this.loop || !this.stop) return;
      this.seekTo(this.stop.from);
      this.play();
    });
  }

  /** `seeks` counts what was asked for; `away` says that the element is elsewhere for a moment, to look up a still. */
  clear() {
    super.clear();
    this.asked = null;
    this.seeks = (this.seeks ?? 0) + 1;
    this.away = false;
  }

  /** Listens for the first frame before there is one: it may be presented before the element says that it is loaded. */
  open(address, ticket) {
    const { video } = this;
    this.begun = video.requestVideoFrameCallback
      ? new Promise((resolve) => { video.requestVideoFrameCallback((_, about) => resolve(about.mediaTime)); })
      : Promise.resolve(0);
    return super.open(address, ticket);
  }

  firstFrameTime() {
    return Promise.race([this.begun, new Promise((resolve) => { setTimeout(resolve, FIRST_FRAME_MILLISECONDS, 0); })]);
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

  numberOf(seconds) {
    return frameNumber(seconds, this.rate);
  }

  tell(name) {
    if (name === 'frame' && this.info && this.asked !== null && this.video.paused) this.shown = this.asked;
    super.tell(name);
  }
}
