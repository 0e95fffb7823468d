// Company: decks that play shots together, on one clock that counts from the start of each shot. The longest shot leads.

const CLOSE = 0.03; // seconds apart that nobody sees
const FAR = 0.3; // from which a deck jumps to the others, instead of hurrying or waiting
const HURRY = 0.1; // how much faster or slower it is until it is close again

/** @typedef {import('./deck.js').Deck} Deck */

/**
 * Events: 'frame' (the clock has moved), 'state' (of any deck, or the choice of the sound).
 */
export class Company extends EventTarget {
  chosen = 0; // index of the deck whose sound is heard

  /** @param {Deck[]} decks */
  constructor(decks) {
    super();
    this.decks = decks;
    for (const deck of decks) {
      deck.accompanied = true;
      deck.addEventListener('frame', () => {
        if (deck === this.leader) this.onFrame();
      });
      deck.addEventListener('state', () => this.dispatchEvent(new Event('state')));
    }
    this.listen(0);
  }

  /** The decks that can play. */
  get ready() {
    return this.decks.filter((deck) => deck.status === 'ready');
  }

  /** The deck of the longest shot, whose clock counts for all; null while none can play. */
  get leader() {
    return this.ready.reduce(
      (/** @type {Deck | null} */ longest, deck) => (longest && lengthOf(longest) >= lengthOf(deck) ? longest : deck),
      null,
    );
  }

  /** Seconds of the longest shot. */
  get length() {
    return this.leader ? lengthOf(this.leader) : 0;
  }

  /** Seconds from the start of every shot. */
  get now() {
    return this.leader ? placeOf(this.leader) : 0;
  }

  get paused() {
    return this.leader?.paused ?? true;
  }

  /** Play on together; from the start, where all have ended. */
  async play() {
    const { leader } = this;
    if (!leader) return;
    if (hasEnded(leader)) this.seek(0);
    await Promise.all(this.ready.filter((deck) => !hasEnded(deck)).map((deck) => deck.play()));
  }

  pause() {
    for (const deck of this.decks) deck.pause();
    this.seek(this.now); // while they play, they may be a little apart
  }

  toggle() {
    if (this.paused) void this.play();
    else this.pause();
  }

  /**
   * Show every shot at a time; the last frame of those that are shorter.
   *
   * @param {number} seconds From the start of each.
   */
  seek(seconds) {
    for (const deck of this.ready) deck.show(indexAt(deck, seconds));
  }

  /** @param {number} frames Of the leader; the others follow by time. */
  step(frames) {
    const { leader } = this;
    if (!leader) return;
    this.pause();
    const first = leader.times.indexFrom(leader.info?.start ?? 0);
    const last = leader.times.indexBefore(leader.info?.end ?? 0);
    leader.show(Math.min(Math.max(leader.index + frames, first), last));
    for (const deck of this.ready) if (deck !== leader) deck.show(indexAt(deck, placeOf(leader)));
  }

  /** @param {number} at Index of the deck to hear. */
  listen(at) {
    if (!this.decks[at]) return;
    this.chosen = at;
    for (const [index, deck] of this.decks.entries()) deck.video.muted = index !== at;
    this.dispatchEvent(new Event('state'));
  }

  onFrame() {
    this.dispatchEvent(new Event('frame'));
    if (this.paused) return;
    for (const deck of this.ready) if (deck !== this.leader && !deck.paused) this.keepTogether(deck);
  }

  /** @param {Deck} deck That plays beside the leader. */
  keepTogether(deck) {
    const ahead = placeOf(deck) - this.now;
    if (Math.abs(ahead) > FAR) deck.restart((deck.info?.start ?? 0) + this.now);
    const rate = Math.abs(ahead) < CLOSE ? 1 : 1 - Math.sign(ahead) * HURRY;
    if (deck.video.playbackRate !== rate) deck.video.playbackRate = rate;
  }

  /** Leave all videos. */
  unload() {
    for (const deck of this.decks) deck.unload();
  }
}

/** @param {Deck} deck */
function lengthOf({ info }) {
  return info ? info.end - info.start : 0;
}

/** @param {Deck} deck */
function placeOf(deck) {
  return deck.now - (deck.info?.start ?? 0);
}

/** @param {Deck} deck */
function hasEnded(deck) {
  return deck.index >= deck.times.indexBefore(deck.info?.end ?? 0);
}

/**
 * Return the frame that a shot shows at a time, or its first or last one.
 *
 * @param {Deck} deck
 * @param {number} seconds From the start of the shot.
 */
function indexAt(deck, seconds) {
  const start = deck.info?.start ?? 0;
  const at = deck.times.indexAt(start + Math.max(0, seconds) + 1e-6);
  return Math.min(Math.max(at, deck.times.indexFrom(start)), deck.times.indexBefore(deck.info?.end ?? 0));
}
