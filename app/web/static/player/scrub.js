// Scrub: seeking by a pointer that is held down on a strip of time.

/**
 * Report where the pointer is, from the press until it is let go.
 *
 * @param {HTMLElement} strip
 * @param {PointerEvent} event The press.
 * @param {(share: number) => void} seek Receives a share of the strip's width; beyond 0 and 1 where the pointer left it.
 */
export function scrub(strip, event, seek) {
  const box = strip.getBoundingClientRect();
  /** @param {PointerEvent} moved */
  const follow = (moved) => seek((moved.clientX - box.left) / box.width);
  follow(event);
  strip.setPointerCapture(event.pointerId);
  strip.addEventListener('pointermove', follow);
  const done = () => strip.removeEventListener('pointermove', follow);
  strip.addEventListener('pointerup', done, { once: true });
  strip.addEventListener('pointercancel', done, { once: true });
}
