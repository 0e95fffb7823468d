// Onward: playing that goes on past the stretch that is loaded, so that its frames are known there, too.

import { requestFrames } from './opening.js';

const AHEAD_SECONDS = 5; // of the end of the stretch, when more is asked for
const MORE_SECONDS = 30;

/** @typedef {import('../core/types.js').FrameList} FrameList */

/**
 * Lengthen the stretch of a deck while it plays on past what was loaded. Its indices stay as they are.
 *
 * @param {import('./deck.js').Deck} deck
 * @param {() => void} longer Called when it has become longer.
 */
export function goOnward(deck, longer) {
  let asking = false;
  deck.addEventListener('frame', async () => {
    const { info, frames, first, last } = deck;
    if (asking || deck.paused || deck.stop || !deck.whole || !info || !frames) return;
    if (deck.now < last - AHEAD_SECONDS || last >= info.duration) return;
    asking = true;
    // The present time may be far from the stretch where the answer takes long; what lies between is asked for, too.
    const to = Math.min(info.duration, Math.max(deck.now, last) + MORE_SECONDS);
    const more = await requestFrames(info.id, { first: last, last: to });
    asking = false;
    if (!more || deck.info !== info || deck.last !== last) return;
    deck.extend(withLater(frames, more), { first, last: to });
    longer();
  });
}

/**
 * Return frames with later ones after them.
 *
 * @param {FrameList} frames
 * @param {FrameList} later May begin with some of the same.
 * @returns {FrameList}
 */
export function withLater(frames, later) {
  const end = frames.pts[frames.pts.length - 1];
  const from = later.pts.findIndex((pts) => pts > end);
  if (from < 0) return frames;
  return {
    pts: [...frames.pts, ...later.pts.slice(from)],
    seconds: [...frames.seconds, ...later.seconds.slice(from)],
  };
}
